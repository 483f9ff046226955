using System.Net;

namespace Mesh.DataPlane.Tcp;

/// <summary>What is known of a connection that is to be made.</summary>
/// <param name="Host">The host that was asked for.</param>
/// <param name="Port">Its port.</param>
internal sealed record TcpFacts(string Host, int Port)
{
    /// <summary>The address that was asked for; <see langword="null"/> when it was a name.</summary>
    public IPAddress? Address { get; init; } = IPAddress.TryParse(Host, out var address) ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) : null;

    /// <summary>What the caller speaks, where that is TLS and known.</summary>
    public ClientHello? Tls { get; init; }

    public override string ToString() => IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port).ToString() : $"{Host}:{Port}";
}
