namespace Mesh.Xds.Bootstrap;

/// <summary>A bootstrap that cannot be used: names the source, the place in it and the reason.</summary>
internal sealed class BootstrapException(string source, string path, string reason, Exception? inner = null)
    : Exception($"{source}: {path}: {reason}", inner)
{
    /// <summary>The JSON path, as in <c>$.xds_servers[0].server_uri</c>; <c>$</c> is the whole document.</summary>
    public string Path { get; } = path;
}
