using System.Net;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Inbound;

/// <summary>What becomes of the connections to one port, by Envoy's names (<c>envoy_listener_*</c>).</summary>
internal sealed class ListenerCounters
{
    /// <summary>The label that tells ports apart.</summary>
    public const string Label = "envoy_listener_address";

    private const string Prefix = "envoy_listener_";

    public ListenerCounters(MetricRegistry registry, IPEndPoint endPoint)
    {
        // As Envoy writes addresses in names.
        Address = endPoint.ToString().Replace(':', '_');
        Connections = Counter("downstream_cx_total", "Connections that have come, refused ones included.");
        Closed = Counter("downstream_cx_destroy", "Connections that are over, refused ones included.");
        Active = registry.Gauge(Prefix + "downstream_cx_active", "Connections that are open, or about to be let in.", Label).Cell(Address);
        TimedOut = Counter("downstream_pre_cx_timeout", "Connections whose first bytes did not come in time.");
        NoFilterChain = Counter("no_filter_chain_match", "Connections that no filter chain is for.");
        Handshakes = Counter("ssl_handshake", "Connections on which TLS is spoken.");
        TlsFailures = Counter("ssl_connection_error", "Connections that are none because TLS failed, but for certificates that were refused.");
        NoCertificate = Counter("ssl_no_certificate", "Connections by TLS whose client has shown no certificate, and needed none.");
        MissingCertificate = Counter("ssl_fail_verify_no_cert", "Connections refused because the client has shown no certificate.");
        RefusedCertificate = Counter("ssl_fail_verify_error", "Connections refused for the certificate that the client has shown.");

        CounterCell Counter(string name, string help) => registry.Counter(Prefix + name, help, Label).Cell(Address);
    }

    /// <summary>The port, as labels name it.</summary>
    public string Address { get; }

    /// <summary>Connections that have come.</summary>
    public CounterCell Connections { get; }

    /// <summary>Connections that are over.</summary>
    public CounterCell Closed { get; }

    /// <summary>Connections that are open.</summary>
    public GaugeCell Active { get; }

    /// <summary>What they are could not be told in time.</summary>
    public CounterCell TimedOut { get; }

    /// <summary>Connections that no filter chain is for.</summary>
    public CounterCell NoFilterChain { get; }

    /// <summary>Handshakes that came to an end.</summary>
    public CounterCell Handshakes { get; }

    /// <summary>Handshakes that did not, but for the two below.</summary>
    public CounterCell TlsFailures { get; }

    /// <summary>Clients without a certificate that needed none.</summary>
    public CounterCell NoCertificate { get; }

    /// <summary>Clients without a certificate that needed one.</summary>
    public CounterCell MissingCertificate { get; }

    /// <summary>Clients with one that is not trusted.</summary>
    public CounterCell RefusedCertificate { get; }

    /// <summary>A connection has come.</summary>
    public void Begin()
    {
        Connections.Increment();
        Active.Add(1);
    }

    /// <summary>It is over, or was refused.</summary>
    public void End()
    {
        Closed.Increment();
        Active.Add(-1);
    }
}
