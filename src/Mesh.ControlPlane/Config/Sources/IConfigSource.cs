namespace Mesh.ControlPlane.Config.Sources;

/// <summary>A place where documents come from.</summary>
internal interface IConfigSource
{
    /// <summary>A name for diagnostics: a folder, or <c>memory</c>.</summary>
    string Name { get; }

    /// <summary>Its valid documents; two of the same kind, namespace and name may be among them, the store tells which counts.</summary>
    IReadOnlyList<ConfigResource> Resources { get; }

    IReadOnlyList<ConfigDiagnostic> Diagnostics { get; }

    /// <summary>Called after <see cref="Resources"/> or <see cref="Diagnostics"/> changed.</summary>
    event Action? Changed;
}
