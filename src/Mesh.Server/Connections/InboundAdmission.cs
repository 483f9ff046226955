using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Server.Identity;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>The way in of one connection: what it is, which filter chain is for it, whether it proves what that asks for.</summary>
internal sealed class InboundAdmission(
    ServerSchemes schemes, ProbeWarning probes, RefusalLog refusals, IOptions<SocketTransportOptions> transport, IOptions<MeshOptions> options, FilterServices services, TimeProvider time)
{
    // Kestrel's own.
    private static readonly TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly SocketTransportOptions _transport = transport.Value;
    private readonly ConnectionRecords _records = new(services.Telemetry);

    // The listener's own time for its first answer ends before.
    private readonly TimeSpan _configurationTimeout = options.Value.Xds.ResourceTimeout * 2;

    /// <summary>Lets a connection in, or ends it.</summary>
    /// <returns>The connection for the server; <see langword="null"/> when it was refused.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ConnectionContext?> AdmitAsync(Socket socket, InboundListener listener, SocketConnectionContextFactory connections, CancellationToken cancellationToken)
    {
        listener.Counters.Begin();
        var trust = listener.TrustVersion;
        ConnectionContext? admitted = null;
        try
        {
            admitted = await JudgeAsync(socket, listener, connections, cancellationToken).ConfigureAwait(false);
            if (admitted?.Features.Get<IInboundConnection>() is InboundConnection connection)
            {
                listener.Confirm(connection, trust);
            }

            return admitted;
        }
        finally
        {
            if (admitted is null)
            {
                listener.Counters.End();
            }
        }
    }

    private async ValueTask<ConnectionContext?> JudgeAsync(Socket socket, InboundListener listener, SocketConnectionContextFactory connections, CancellationToken cancellationToken)
    {
        var accepted = time.GetTimestamp();

        // 1. What the control plane says of the port.
        if (listener.Current is not { } table)
        {
            using var waiting = new Deadline(_configurationTimeout, time, cancellationToken);
            try
            {
                if (await listener.GetAsync(waiting.Token).ConfigureAwait(false) is not { } answered)
                {
                    return Refuse(socket, listener, (listener.Refusal ?? "its listener has not come") + "; Mesh:Server:AllowUnmeshed exempts a port");
                }

                table = answered;
            }
            catch (OperationCanceledException)
            {
                return Refuse(socket, listener, "its listener has not come in time");
            }
        }

        // 2. What the connection is, where that decides.
        var where = Where(socket);
        using var first = new FirstBytes(socket);
        var isHttps = schemes.IsHttps(where.Port);
        var known = table.DependsOnFirstBytes(where) ? null : table.Select(where);
        var outcome = FirstBytes.Outcome.Plain;
        if (known is null || known.Tls is not null || (known.Http is not null && !isHttps))
        {
            var inspection = table.Resource.Inspection;
            using var looking = new Deadline(inspection.Timeout, time, cancellationToken);
            try
            {
                outcome = await first.LookAsync(inspection.MaxClientHello, detectsHttp2: !isHttps, looking.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    return Close(socket);
                }

                // What cannot be told is not TLS; only a chain whose choice hangs on it is not taken on a guess.
                if (known?.Tls is not null || (known is null && !inspection.ContinuesAfterTimeout))
                {
                    listener.Counters.TimedOut.Increment();
                    return Refuse(socket, listener, $"what it is could not be told from its first bytes within {inspection.Timeout}");
                }
            }
            catch (SocketException)
            {
                return Close(socket);
            }

            if (outcome == FirstBytes.Outcome.Nothing)
            {
                return Close(socket);
            }

            if (outcome == FirstBytes.Outcome.BrokenTls && inspection.ClosesOnInvalidClientHello)
            {
                listener.Counters.TlsFailures.Increment();
                return Refuse(socket, listener, "its TLS begins against the rules");
            }

            where = where with { Tls = first.Hello };
        }

        // 3. The chain for it.
        if (table.Select(where) is not { } chain)
        {
            listener.Counters.NoFilterChain.Increment();
            _records.Miss(table, Facts(where, socket), accepted);
            return Refuse(socket, listener, where.Tls is null ? "no filter chain is for plain text" : "no filter chain is for its TLS");
        }

        if (chain.Tls is null)
        {
            return await FinishAsync(Plain(socket, first, connections), listener, table, chain, where, Facts(where, socket, chain), accepted, outcome == FirstBytes.Outcome.Http2 && chain.Http is not null, cancellationToken).ConfigureAwait(false);
        }

        if (where.Tls is null)
        {
            probes.Refused(listener.EndPoint, first.Seen);
            listener.Counters.TlsFailures.Increment();
            var reason = outcome == FirstBytes.Outcome.BrokenTls ? "its TLS begins against the rules" : "it is plain text, and the port asks for TLS";
            _records.Fail(chain, Facts(where, socket, chain), accepted, reason);
            return Refuse(socket, listener, reason);
        }

        return await SecureAsync(socket, first, listener, table, chain, where, accepted, isHttps, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Resets a connection and says so.</summary>
    public ConnectionContext? Refuse(Socket socket, InboundListener listener, string reason)
    {
        refusals.Refused(RemoteOf(socket), listener.EndPoint, reason);
        Lingering.Reset(socket);
        return null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ConnectionContext?> SecureAsync(
        Socket socket, FirstBytes first, InboundListener listener, InboundTable table, InboundChain chain, ChainFacts where, long accepted, bool isHttps, CancellationToken cancellationToken)
    {
        var tls = chain.Tls!;
        var judgement = new PeerJudgement();
        var protocol = tls.Settings.Agree(where.Tls!.ApplicationProtocols);
        var introduced = chain.Http is not null && !isHttps && tls.Settings.AsksForClientCertificate ? MeshAlpn.Introduced(where.Tls.ApplicationProtocols) : null;
        byte[]? introduction = null;
        SslServerAuthenticationOptions options;
        try
        {
            options = tls.Options(introduced ?? protocol, judgement);
        }
        catch (TlsFailureException e)
        {
            listener.Counters.TlsFailures.Increment();
            _records.Fail(chain, Facts(where, socket, chain), accepted, e.Message.TrimEnd('.'));
            return Refuse(socket, listener, e.Message.TrimEnd('.'));
        }

        var stream = new SslStream(first.Read.IsEmpty ? new NetworkStream(socket, ownsSocket: true) : new ReplayedStream(socket, first.Read.Span), leaveInnerStreamOpen: false);
        try
        {
            var limit = tls.Settings.HandshakeTimeout;
            using var shaking = new Deadline(limit == Timeout.InfiniteTimeSpan ? _handshakeTimeout : limit, time, cancellationToken);
            await stream.AuthenticateAsServerAsync(options, shaking.Token).ConfigureAwait(false);
            introduction = introduced is null ? null : await Introduction.ReadAsync(stream, shaking.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or InvalidDataException or OperationCanceledException or System.ComponentModel.Win32Exception or ObjectDisposedException)
        {
            (judgement.RefusesCertificate ? listener.Counters.RefusedCertificate : judgement.Refusal is not null ? listener.Counters.MissingCertificate : listener.Counters.TlsFailures).Increment();
            var reason = ReasonOf(e, judgement);
            refusals.Refused(where.Source is null ? null : new IPEndPoint(where.Source, where.SourcePort), listener.EndPoint, "TLS has failed: " + reason);
            _records.Fail(chain, Facts(where, chain: chain), accepted, reason);
            await Lingering.WaitAsync(socket, time, cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            return null;
        }

        var peer = tls.Settings.AsksForClientCertificate ? stream.RemoteCertificate as X509Certificate2 : null;
        if (tls.Settings.AsksForClientCertificate && !judgement.IsMade && !judgement.JudgeResumed(tls, peer))
        {
            // Told before it ends, as everywhere: who sees the end finds the reason.
            (judgement.RefusesCertificate ? listener.Counters.RefusedCertificate : listener.Counters.MissingCertificate).Increment();
            var reason = judgement.Refusal?.TrimEnd('.') ?? "";
            refusals.Refused(new IPEndPoint(where.Source!, where.SourcePort), listener.EndPoint, "TLS has failed: " + reason);
            _records.Fail(chain, Facts(where, chain: chain), accepted, reason);
            await stream.DisposeAsync().ConfigureAwait(false);
            return null;
        }

        var established = time.GetTimestamp();
        listener.Counters.Handshakes.Increment();
        if (peer is null)
        {
            listener.Counters.NoCertificate.Increment();
        }

        bool? isHttp2 = chain.Http is null || isHttps ? false
            : (introduced ?? protocol) switch
            {
                MeshAlpn.IntroducedHttp2 => true,
                MeshAlpn.IntroducedHttp11 => false,
                "h2" or "istio-h2" => true,
                "http/1.1" or "http/1.0" or "istio-http/1.1" or "istio-http/1.0" => false,
                _ => null,
            };

        // The name by which it was agreed upon is between the two of them: to policies and logs the protocol is what it would have been without.
        var facts = Facts(where, socket, chain, stream, protocol, peer, judgement.Others, established);
        if (introduction is not null && facts is { IsMutualTls: true, PeerIdentity: not null })
        {
            facts.Introduced = services.Telemetry.Peers.ReadIntroduction(facts.Principals.Peer, introduction);
        }

        var connection = new StreamConnection(stream, socket, _transport, detectsHttp2: isHttp2 is null, time);
        connection.Start();
        return await FinishAsync(
            connection, listener, table, chain, where, facts, accepted, isHttp2 ?? await BeginsAsHttp2(connection, table, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    // Whoever says nothing for so long is taken for HTTP/1.1, whose own time limits hold from here on.
    private async ValueTask<bool> BeginsAsHttp2(StreamConnection connection, InboundTable table, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.BeginsAsHttp2.WaitAsync(table.Resource.Inspection.Timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private ConnectionContext Plain(Socket socket, FirstBytes first, SocketConnectionContextFactory connections)
    {
        if (first.Read.IsEmpty)
        {
            return connections.Create(socket);
        }

        var connection = new StreamConnection(new ReplayedStream(socket, first.Read.Span), socket, _transport, detectsHttp2: false, time);
        connection.Start();
        return connection;
    }

    private async ValueTask<ConnectionContext?> FinishAsync(
        ConnectionContext context, InboundListener listener, InboundTable table, InboundChain chain, ChainFacts where, ConnectionFacts facts, long accepted, bool isHttp2, CancellationToken cancellationToken)
    {
        var (filter, details) = ((NetworkFilter?)null, (string?)null);
        if (chain.Resource.NetworkFilters.Count > 0)
        {
            using var judging = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.ConnectionClosed);
            try
            {
                (filter, details) = await chain.JudgeAsync(facts, services, judging.Token).ConfigureAwait(false);
            }
            catch (Exception) when (judging.IsCancellationRequested)
            {
                // Whoever was to be let in has left, or the port is closing.
                context.Abort(new ConnectionAbortedException("It was closed before it was let in."));
                await context.DisposeAsync().ConfigureAwait(false);
                return null;
            }
        }

        if (filter is not null)
        {
            _records.Deny(chain, facts, accepted, details);
            // The filter has said so itself.
            await DelayAsync(filter.RefusalDelay, cancellationToken).ConfigureAwait(false);
            context.Abort(new ConnectionAbortedException($"The filter {filter.Name} does not let it pass."));
            await context.DisposeAsync().ConfigureAwait(false);
            return null;
        }

        if (isHttp2)
        {
            Http2Features.AddTo(context.Features);
        }

        if (_records.Begin(chain, facts, accepted) is { } record)
        {
            CountedTransport.Measure(context, record);
        }

        var connection = new InboundConnection(chain, where, facts) { Transport = new ConnectionTransport(context, isHttp2) };
        context.Features.Set<IInboundConnection>(connection);
        context.Features.Set<IMeshPeerFeature>(new MeshPeerFeature(facts));
        listener.Add(connection, table);
        context.ConnectionClosed.UnsafeRegister(static s => (((InboundListener, InboundConnection))s!).Item1.Remove((((InboundListener, InboundConnection))s!).Item2), (listener, connection));
        return context;
    }

    private static string ReasonOf(Exception exception, PeerJudgement judgement)
        => judgement.Refusal?.TrimEnd('.') ?? (exception is OperationCanceledException ? "it has taken too long" : TlsErrors.Of(exception).Message.TrimEnd('.'));

    private static ConnectionFacts Facts(
        in ChainFacts where, Socket? socket = null, InboundChain? chain = null, SslStream? stream = null, string? protocol = null, X509Certificate2? peer = null,
        IReadOnlyList<X509Certificate2>? others = null, long established = 0)
    {
        // Until it is secured it is nobody's.
        var tls = stream is null ? null : chain?.Tls;
        var own = tls?.Local ?? (null, "");
        return new()
        {
            FilterChainName = chain?.Resource.Name ?? "",
            Established = established,
            LocalCertificate = own.Facts,
            LocalSubject = own.Subject,
            Authorities = tls?.Authorities,
            RemoteEndPoint = where.Source is null ? null : new IPEndPoint(where.Source, where.SourcePort),
            LocalEndPoint = where.Destination is null ? socket?.LocalEndPoint as IPEndPoint : new IPEndPoint(where.Destination, where.Port),
            IsTls = tls is not null,
            RequestedServerName = where.Tls?.ServerName ?? "",
            ApplicationProtocol = protocol ?? "",
            TlsProtocol = stream?.SslProtocol ?? default,
            TlsCipherSuite = stream?.NegotiatedCipherSuite,
            PeerCertificate = peer,
            PeerIntermediates = others ?? [],
            Expires = tls?.EndOf(stream!.LocalCertificate as X509Certificate2, peer),
            LocalUriName = tls?.LocalUriName,
        };
    }

    private static ChainFacts Where(Socket socket)
    {
        var local = (IPEndPoint)socket.LocalEndPoint!;
        var remote = RemoteOf(socket);
        var (destination, source) = (Simple(local.Address), remote is null ? null : Simple(remote.Address));
        return new ChainFacts
        {
            Port = local.Port,
            Destination = destination,
            Source = source,
            SourcePort = remote?.Port ?? 0,
            IsLocal = source is not null && (IPAddress.IsLoopback(source) || source.Equals(destination)),
        };
    }

    // A port for both families sees IPv4 as IPv6.
    private static IPAddress Simple(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPEndPoint? RemoteOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint as IPEndPoint;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static ConnectionContext? Close(Socket socket)
    {
        socket.Dispose();
        return null;
    }

    private async ValueTask DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        if (delay > TimeSpan.Zero)
        {
            try
            {
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The port is closing.
            }
        }
    }
}
