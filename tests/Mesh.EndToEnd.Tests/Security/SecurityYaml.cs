namespace Mesh.EndToEnd.Tests.Security;

/// <summary>The documents that the labs of security have in common.</summary>
internal static class SecurityYaml
{
    public const string AutoMutualTlsOff = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |-
            rootNamespace: istio-system
            enableAutoMtls: false
        ---

        """;

    /// <summary>A PeerAuthentication for all of a namespace, or of the mesh.</summary>
    public static string PeerAuthentication(string mode, string @namespace = "default")
        => $$"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: {{@namespace}} }
            spec: {mtls: {mode: {{mode}} } }
            ---

            """;

    public static string AuthorizationPolicy(string name, string spec, string @namespace = "default")
        => $$"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: {{name}}, namespace: {{@namespace}} }
            spec: {{spec}}
            ---

            """;
}
