using System.Text.Json.Nodes;

namespace Mesh.Cli.Servers;

/// <summary>A process of the mesh, asked at its own admin port.</summary>
internal sealed class ProxyAdmin : IDisposable
{
    private const string Role = "the admin of a process of Mesh";

    private readonly MeshServer _server;

    private ProxyAdmin(MeshServer server, string? node)
    {
        _server = server;
        NodeId = node;
    }

    public Uri Address => _server.Address;

    /// <summary>Who it says it is.</summary>
    public string? NodeId { get; }

    /// <summary>Asks who is there.</summary>
    /// <exception cref="CommandException">Nobody is, or nobody of the mesh.</exception>
    public static async Task<ProxyAdmin> ConnectAsync(Uri address, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var server = new MeshServer(Role, address, ServerAccess.None, timeout, time);
        try
        {
            var info = await server.GetJsonAsync("server_info", cancellationToken).ConfigureAwait(false);
            return new ProxyAdmin(server, info["node"]?["id"]?.ToString());
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => _server.GetJsonAsync(path, cancellationToken);

    public Task<string> GetTextAsync(string path, CancellationToken cancellationToken) => _server.GetTextAsync(path, cancellationToken);

    public Task<JsonNode> PostJsonAsync(string path, CancellationToken cancellationToken) => _server.PostJsonAsync(path, cancellationToken);

    public void Dispose() => _server.Dispose();
}
