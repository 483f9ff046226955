namespace Mesh.ControlPlane.Config;

/// <summary>Codes of diagnostics: Istio's where <c>istioctl analyze</c> has one for the same thing.</summary>
internal static class ConfigCodes
{
    /// <summary>Istio: Deprecated.</summary>
    public const string Deprecated = "IST0002";

    /// <summary>Istio: SchemaValidationError.</summary>
    public const string Schema = "IST0106";

    /// <summary>The text is not YAML, or costs more than it may.</summary>
    public const string Syntax = "MESH0001";

    /// <summary>The same kind, namespace and name twice.</summary>
    public const string Duplicate = "MESH0002";

    /// <summary>A kind that this version does not read.</summary>
    public const string UnknownKind = "MESH0003";

    /// <summary>A field that is accepted but not yet applied.</summary>
    public const string NotApplied = "MESH0004";

    /// <summary>A file or folder that cannot be read.</summary>
    public const string Unreadable = "MESH0005";

    /// <summary>A field that the message does not have.</summary>
    public const string UnknownField = "MESH0006";
}
