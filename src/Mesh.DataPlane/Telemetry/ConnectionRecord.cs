using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Telemetry;

/// <summary>
/// What is told of one connection, from its beginning to its end, which comes once, by whomever. As in Envoy, what is received comes from whoever has
/// opened the connection, and what is sent goes to him.
/// </summary>
internal sealed class ConnectionRecord
{
    private readonly ConnectionMeter? _meter;
    private RequestRecord? _log;
    private long _received;
    private long _sent;

    /// <param name="meter">Counts it; <see langword="null"/> when nobody does.</param>
    /// <param name="log">What its entry is made of, which is released at the end; <see langword="null"/> when it is not logged.</param>
    public ConnectionRecord(ConnectionMeter? meter, RequestRecord? log) => (_meter, _log) = (meter, log);

    /// <summary>The client's door: it is about to be tried.</summary>
    public void Try(Endpoint endpoint)
    {
        _meter?.Endpoint = endpoint;
        if (_log is { } log)
        {
            log.Endpoint = endpoint;
            log.Attempts++;
            log.Try(endpoint);
        }
    }

    /// <summary>It is open; once.</summary>
    /// <param name="local">This end of it, in the client's door, where it is known.</param>
    /// <param name="upstream">In the client's door, the connection itself.</param>
    public void Begin(IPEndPoint? local = null, Stream? upstream = null)
    {
        _meter?.Begin();
        if (_log is { } log)
        {
            log.Upstream = upstream is null ? null : FactsOf(upstream, log.Time);

            // A socket for both families sees IPv4 as IPv6.
            log.UpstreamLocal = local?.Address.IsIPv4MappedToIPv6 == true ? new IPEndPoint(local.Address.MapToIPv4(), local.Port) : local;
        }
    }

    /// <summary>There will be none, or it could not be kept.</summary>
    /// <param name="flags">Why, as Envoy's response flags.</param>
    public void Fail(string flags)
    {
        _meter?.Fail(flags);
        Log(flags);
    }

    public void Received(long bytes)
    {
        _meter?.Received(bytes);
        Interlocked.Add(ref _received, bytes);
    }

    public void Sent(long bytes)
    {
        _meter?.Sent(bytes);
        Interlocked.Add(ref _sent, bytes);
    }

    /// <summary>It is over; counts once.</summary>
    /// <param name="flags">Why, where Envoy has a response flag for it.</param>
    public void End(string flags = "")
    {
        _meter?.End(flags);
        Log(flags);
    }

    /// <summary>Why it came to nothing, in words, before it is told that it did.</summary>
    /// <param name="details">As <c>%RESPONSE_CODE_DETAILS%</c> tells it; empty for nothing.</param>
    /// <param name="termination">Why the mesh has ended it; <see langword="null"/> when it has not.</param>
    /// <param name="upstream">What the transport to the upstream has said.</param>
    /// <param name="downstream">What the transport of whoever has come in has said.</param>
    public void Explain(string details = "", string? termination = null, string? upstream = null, string? downstream = null)
    {
        if (_log is { } log)
        {
            (log.Details, log.TerminationDetails, log.TransportFailure, log.DownstreamTransportFailure) = (details, termination, upstream, downstream);
        }
    }

    private static ConnectionFacts FactsOf(Stream stream, TimeProvider time)
    {
        if (stream is not SslStream tls)
        {
            return new ConnectionFacts { Established = time.GetTimestamp() };
        }

        var own = tls.LocalCertificate as X509Certificate2;
        var facts = own is null ? null : CertificateFacts.Of(own);
        return new ConnectionFacts
        {
            Established = time.GetTimestamp(),
            IsTls = true,
            RequestedServerName = tls.TargetHostName,
            TlsProtocol = tls.SslProtocol,
            TlsCipherSuite = tls.NegotiatedCipherSuite,
            PeerCertificate = tls.RemoteCertificate as X509Certificate2,
            LocalCertificate = facts,
            LocalUriName = facts?.UriNames.FirstOrDefault(),
        };
    }

    private void Log(string flags)
    {
        if (Interlocked.Exchange(ref _log, null) is not { } log)
        {
            return;
        }

        log.Flags = flags;
        log.RequestBytes = Interlocked.Read(ref _received);
        log.ResponseBytes = Interlocked.Read(ref _sent);
        log.Release();
    }
}
