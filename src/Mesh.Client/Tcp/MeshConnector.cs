using System.Globalization;
using System.Net;
using System.Text;
using Mesh.DataPlane;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Tcp;

namespace Mesh.Client.Tcp;

/// <summary>The door for connections: whose host it is, and who makes the connection.</summary>
internal sealed class MeshConnector(MeshEngine engine) : IMeshConnector
{
    // Connections that are none of the mesh's, and none of its figures.
    private readonly ClusterStats _local = new();

    public async ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken = default)
        => await ConnectAsync(host, port, serverName: null, cancellationToken).ConfigureAwait(false);

    /// <summary>The same for a caller who will speak TLS and says for whom, so that nothing has to be inspected.</summary>
    /// <param name="host">The host.</param>
    /// <param name="port">The port.</param>
    /// <param name="serverName">The server name (SNI) that the caller will ask for; <see langword="null"/> when it is not known.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async ValueTask<MeshStream> ConnectAsync(string host, int port, string? serverName, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        cancellationToken.ThrowIfCancellationRequested();
        var facts = new TcpFacts(Normalize(host), port)
        {
            Tls = serverName is null ? null : new ClientHello(serverName.ToLowerInvariant(), []),
        };

        // 1. Whose host is it?
        if (IsThisMachine(facts))
        {
            return await engine.Tcp.ConnectDirectlyAsync("this machine", _local, facts, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }

        var key = new HostKey(facts.Host, port, IsTcp: true);
        var entry = engine.Hosts.Find(key) ?? await engine.Hosts.ResolveAsync(key, cancellationToken).ConfigureAwait(false);
        var status = entry!.State.Status;

        // 2. Not the mesh's: by the outbound policy, unless the name could only ever be the mesh's.
        if (status == HostStatus.Unknown || (status == HostStatus.Pending && !entry.IsMeshName))
        {
            return entry.IsMeshName
                ? throw TcpFailure.NoConfiguration(facts, entry.State.Error ?? "it is not known to the control plane")
                : await ConnectOutsideAsync(facts, cancellationToken).ConfigureAwait(false);
        }

        if (status != HostStatus.Meshed)
        {
            throw TcpFailure.NoConfiguration(facts, entry.State.Error ?? engine.Client.Status.LastError ?? "the control plane has not answered in time");
        }

        // 3. The mesh's.
        return await engine.Tcp.ConnectAsync(entry, facts, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<MeshStream> ConnectOutsideAsync(TcpFacts facts, CancellationToken cancellationToken)
    {
        if (!engine.Outbound.IsKnown)
        {
            await engine.Outbound.WhenKnownAsync(cancellationToken).ConfigureAwait(false);
        }

        var decision = engine.Outbound.AdmitConnection(new HostKey(facts.Host, facts.Port));
        return decision.Verdict switch
        {
            OutboundVerdict.Pass => await engine.Tcp
                .ConnectDirectlyAsync(OutsideClusters.Passthrough, engine.Clusters.OutsideClusters.PassthroughStats, facts, idleTimeout: null, cancellationToken).ConfigureAwait(false),
            OutboundVerdict.Route => await engine.Tcp.ConnectAsync(decision.Action!, facts, cancellationToken).ConfigureAwait(false),
            _ => throw engine.Tcp.Refuse(
                facts,
                decision.Reason,
                "Add a ServiceEntry for it, allow it by the outboundTrafficPolicy of MeshConfig or Sidecar, or set Mesh:Client:OutboundTrafficPolicy to AllowAny."),
        };
    }

    // An absolute DNS name is the same host; brackets are the URI's.
    private static string Normalize(string host)
    {
        if (host is ['[', .., ']'])
        {
            host = host[1..^1];
        }

        if (host.Length > 1 && host[^1] == '.')
        {
            host = host[..^1];
        }

        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw new ArgumentException($"'{host}' is neither a host name nor an IP address.", nameof(host));
        }

        return Ascii.IsValid(host) ? host : new IdnMapping().GetAscii(host);
    }

    private static bool IsThisMachine(TcpFacts facts)
        => facts.Address is { } address ? IPAddress.IsLoopback(address) : MeshDomains.IsThisMachine(facts.Host);
}
