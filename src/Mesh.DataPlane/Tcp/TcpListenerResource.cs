using System.Net;
using Google.Protobuf;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Tcp;

/// <summary>What a listener does with connections that are carried as they are.</summary>
/// <param name="Chains">The filter chains.</param>
/// <param name="Default">For connections that none of them is for.</param>
internal sealed record TcpListenerResource(IReadOnlyList<TcpListenerResource.Chain> Chains, TcpListenerResource.Chain? Default)
{
    /// <summary>The address that the host of the listener has, which its callers would connect to; <see langword="null"/> when it has none.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>How far, and how long, the first bytes are looked at, where the chain depends on them.</summary>
    public InspectionSettings Inspection { get; init; } = InspectionSettings.Default;

    /// <summary>What it says itself of signals of all its connections, those included that no chain is for.</summary>
    public SignalSettings Signals { get; init; } = SignalSettings.Default;

    public IEnumerable<Chain> All => Default is null ? Chains : Chains.Append(Default);

    /// <summary>One filter chain.</summary>
    /// <param name="Name">Its name, which may be empty.</param>
    /// <param name="Match">Which connections it is for.</param>
    /// <param name="Proxy">What happens to them.</param>
    /// <param name="Source">The message, by which it is seen whether an update leaves the chain as it is.</param>
    internal sealed record Chain(string Name, TcpChainMatch Match, TcpProxyPolicy Proxy, ByteString Source)
    {
        /// <summary>What it and its listener say of signals.</summary>
        public SignalSettings Signals { get; init; } = SignalSettings.Default;
    }
}
