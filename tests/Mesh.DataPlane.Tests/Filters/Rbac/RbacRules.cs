using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Resources;
using MtlsAuthenticated = Envoy.Extensions.Rbac.Principals.MtlsAuthenticated.V3;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>Rules as they arrive, written as JSON: held to the published rules, and compiled.</summary>
internal static class RbacRules
{
    public const string Any = """{"any":true}""";

    public static JsonParser Json { get; } = new(JsonParser.Settings.Default.WithTypeRegistry(TypeRegistry.FromFiles(
        Envoy.Config.Rbac.V3.V3Reflection.Descriptor,
        Envoy.Extensions.Path.Match.UriTemplate.V3.V3Reflection.Descriptor,
        MtlsAuthenticated.V3Reflection.Descriptor)));

    /// <summary>One policy that allows.</summary>
    public static RbacPolicies Allow(string permission = Any, string principal = Any) => Compile(One("ALLOW", permission, principal));

    /// <summary>One policy that forbids.</summary>
    public static RbacPolicies Deny(string permission = Any, string principal = Any) => Compile(One("DENY", permission, principal));

    public static RBAC One(string action, string permission = Any, string principal = Any)
        => Json.Parse<RBAC>($$$$$"""{"action":"{{{{{action}}}}}","policies":{"p":{"permissions":[{{{{{permission}}}}}],"principals":[{{{{{principal}}}}}]}}}""");

    public static RbacPolicies Compile(RBAC message, bool isHttp = true)
    {
        WireMessage.Validate(message, message.ToByteString(), RBAC.Parser, "rules").ShouldBeEmpty();
        return RbacCompiler.Compile(message, isHttp, "rules", []);
    }

    public static string Template(string template)
        => $$$$$"""{"uri_template":{"name":"t","typed_config":{"@type":"type.googleapis.com/{{{{{UriTemplateMatchConfig.Descriptor.FullName}}}}}","path_template":"{{{{{template}}}}}"}}}""";

    public static string Path(string path) => $$$$$"""{"url_path":{"path":{"exact":"{{{{{path}}}}}"}}}""";

    public static string Header(string name, string matcher) => $$$$$"""{"header":{"name":"{{{{{name}}}}}",{{{{{matcher}}}}}}}""";

    public static string Peer(string matcher) => $$$$$"""{"authenticated":{"principal_name":{{{{{matcher}}}}}}}""";
}
