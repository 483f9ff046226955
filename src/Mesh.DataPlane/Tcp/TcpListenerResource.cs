using System.Net;
using Google.Protobuf;

namespace Mesh.DataPlane.Tcp;

/// <summary>What a listener does with connections that are carried as they are.</summary>
/// <param name="Chains">The filter chains.</param>
/// <param name="Default">For connections that none of them is for.</param>
internal sealed record TcpListenerResource(IReadOnlyList<TcpListenerResource.Chain> Chains, TcpListenerResource.Chain? Default)
{
    /// <summary>The address that the host of the listener has, which its callers would connect to; <see langword="null"/> when it has none.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>How long the first bytes are waited for, where the chain depends on them; infinite for as long as it takes.</summary>
    public TimeSpan InspectionTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>When that time is over, go on with what is known, in place of closing the connection.</summary>
    public bool ContinuesAfterTimeout { get; init; }

    /// <summary>The longest ClientHello that is read.</summary>
    public int MaxClientHello { get; init; } = ClientHello.MaxLength;

    /// <summary>What begins like TLS and breaks its rules is closed, in place of being carried as something else.</summary>
    public bool ClosesOnInvalidClientHello { get; init; }

    public IEnumerable<Chain> All => Default is null ? Chains : Chains.Append(Default);

    /// <summary>One filter chain.</summary>
    /// <param name="Name">Its name, which may be empty.</param>
    /// <param name="Match">Which connections it is for.</param>
    /// <param name="Proxy">What happens to them.</param>
    /// <param name="Source">The message, by which it is seen whether an update leaves the chain as it is.</param>
    internal sealed record Chain(string Name, TcpChainMatch Match, TcpProxyPolicy Proxy, ByteString Source);
}
