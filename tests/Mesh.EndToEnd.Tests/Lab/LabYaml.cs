using System.Globalization;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>The documents that labs have in common.</summary>
internal static class LabYaml
{
    /// <summary>A service that selects the label <c>app</c>.</summary>
    public static string Service(string name, int port = 80, string portName = "http", string @namespace = "default")
        => Document($"""
            apiVersion: v1
            kind: Service
            metadata:
              name: {name}
              namespace: {@namespace}
            spec:
              selector:
                app: {name}
              ports:
              - name: {portName}
                port: {port.ToString(CultureInfo.InvariantCulture)}
            """);

    /// <summary>A subset for each version.</summary>
    public static string Subsets(string host, params string[] versions)
        => DestinationRule(host, $"subsets: [{string.Join(", ", versions.Select(version => $"{{name: {version}, labels: {{version: {version}}}}}"))}]");

    /// <summary>A DestinationRule of a host, named after it.</summary>
    public static string DestinationRule(string host, string spec)
        => Document($"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata:
              name: {host}
            spec:
              host: {host}
            {Indent(spec, 2)}
            """);

    /// <summary>A VirtualService of a host, named after it; <paramref name="http"/> is its list.</summary>
    public static string VirtualService(string host, string http)
        => Document($"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: {host}
            spec:
              hosts:
              - {host}
              http:
            {Indent(http, 2)}
            """);

    /// <summary>Everything to subsets by weight; 0 for a single one leaves the weight out.</summary>
    public static string Split(string host, params (string Subset, int Weight)[] parts)
        => VirtualService(host, "- route:\n" + string.Join('\n', parts.Select(part
            => $"  - {{destination: {{host: {host}, subset: {part.Subset}}}{(part.Weight > 0 ? $", weight: {part.Weight.ToString(CultureInfo.InvariantCulture)}" : "")}}}")));

    private static string Document(string yaml) => yaml + "\n---\n";

    private static string Indent(string yaml, int by) => string.Join('\n', yaml.Split('\n').Select(line => new string(' ', by) + line));
}
