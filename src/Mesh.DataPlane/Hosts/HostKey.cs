namespace Mesh.DataPlane.Hosts;

/// <summary>An authority: host name, without regard to case, and port; of requests, or of connections that are carried as they are.</summary>
internal readonly record struct HostKey(string Host, int Port, bool IsTcp = false)
{
    public bool Equals(HostKey other) => Port == other.Port && IsTcp == other.IsTcp && string.Equals(Host, other.Host, StringComparison.OrdinalIgnoreCase);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Host) ^ Port;

    /// <summary>As a client writes it into the Host header: the default ports are left out.</summary>
    public string Authority => Port is 80 or 443 ? Name : ToString();

    /// <summary>The name of its listener on the wire.</summary>
    public override string ToString() => IsTcp ? $"tcp://{Name}:{Port}" : $"{Name}:{Port}";

    // A URI gives an IPv6 address without its brackets, a Host header with them.
    private string Name => Host.Contains(':') && Host[0] != '[' ? $"[{Host}]" : Host;
}
