namespace Mesh.Benchmarks;

/// <summary>
/// A client and what it calls, in turn: with the mesh one name, without it each server's own, because calling three servers costs more than calling
/// one, whoever chooses among them.
/// </summary>
internal sealed record SocketCaller(HttpClient Client, params string[] Targets) : IDisposable
{
    public const string Path = "/api/v1/products";

    /// <summary>The one header of its own that each request has.</summary>
    public string Header { get; init; } = "x-request-id";

    public static SocketCaller Raw(params int[] ports) => Of(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }, ports);

    /// <summary>Servers by a name, as anybody calls another service.</summary>
    public static SocketCaller Of(HttpMessageHandler handler, params int[] ports)
        => new(new HttpClient(handler), [.. ports.Select(port => $"http://localhost:{port}{Path}")]);

    /// <summary>One server by a name and over TLS.</summary>
    public static SocketCaller RawOverTls(int port)
        => new(new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }), $"https://localhost:{port}{Path}");

    public void Dispose() => Client.Dispose();
}
