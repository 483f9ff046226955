namespace Mesh.DataPlane.Dns;

/// <summary>No server said anything about a name.</summary>
internal sealed class DnsFailureException(string message, bool isServerFailure = false) : Exception(message)
{
    /// <summary>The servers could be reached, and had trouble with this very name.</summary>
    public bool IsServerFailure { get; } = isServerFailure;
}
