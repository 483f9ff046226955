namespace Mesh.Cli.Servers;

/// <summary>Names of proxies as people write them.</summary>
internal static class ProxyName
{
    private static readonly string[] Types = ["deploy/", "deployment/", "deployments/", "pod/", "pods/", "po/", "workload/"];

    /// <summary>The name that a control plane understands: <c>deploy/productpage-v1</c> in a namespace is <c>productpage-v1.namespace</c>.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="namespace">The namespace, where the name has none; <see langword="null"/>: the control plane may complete it.</param>
    public static string Parse(string text, string? @namespace)
    {
        var type = Array.Find(Types, type => text.StartsWith(type, StringComparison.OrdinalIgnoreCase));
        var name = type is null ? text : text[type.Length..];
        return @namespace is null || name.Contains('.', StringComparison.Ordinal) || name.Contains('~', StringComparison.Ordinal) ? name : $"{name}.{@namespace}";
    }
}
