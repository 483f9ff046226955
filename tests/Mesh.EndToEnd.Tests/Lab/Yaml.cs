namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>The documents of the tests.</summary>
internal static class Yaml
{
    /// <summary>A service on port 80 behind which every workload with the label <c>app</c> stands; versions are subsets.</summary>
    /// <param name="portName">The port's name, which tells the protocol: <c>http</c>, <c>http2</c>, <c>grpc</c>.</param>
    public static string Service(string app, string portName = "http", params string[] versions)
        => $"""
            apiVersion: v1
            kind: Service
            metadata:
              name: {app}
            spec:
              selector:
                app: {app}
              ports:
              - name: {portName}
                port: 80
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata:
              name: {app}
            spec:
              host: {app}
              subsets: [{string.Join(", ", versions.Select(version => $"{{name: {version}, labels: {{version: {version}}}}}"))}]
            ---

            """;

    /// <summary>The rules of a host; <paramref name="http"/> is the list under <c>http:</c>.</summary>
    public static string VirtualService(string host, string http)
        => $"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: {host}
            spec:
              hosts: [{host}]
              http:
            {string.Join('\n', http.Split('\n').Select(line => "  " + line))}
            ---

            """;

    /// <summary>Everything to the subsets by weight.</summary>
    public static string Split(string host, params (string Subset, int Weight)[] weights)
        => VirtualService(host, "- route:\n" + string.Join('\n', weights.Select(part => $"  - {{destination: {{host: {host}, subset: {part.Subset}}}, weight: {part.Weight}}}")));
}
