using System.Collections.Concurrent;
using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Inbound;

/// <summary>The ports of this process that the mesh covers, each with the listener that says who may come in by it.</summary>
internal sealed class InboundPorts(
    IXdsClient client,
    HttpFilters filters,
    ISecretSource? identity,
    ResourceNotes notes,
    InboundPortSettings settings,
    TimeProvider time,
    ILogger logger)
{
    private readonly ConcurrentDictionary<InboundListener, bool> _open = new();

    /// <summary>What is covered right now, for status pages.</summary>
    public ICollection<InboundListener> Open => _open.Keys;

    public InboundPortSettings Settings { get; } = settings;

    /// <summary>Ports whose newer listener waits for secrets, clusters or keys; for tests and status.</summary>
    public int HeldBack => _open.Keys.Count(listener => listener.IsHeldBack);

    /// <summary>A listener went into force, or waits no longer.</summary>
    public event Action? Changed;

    /// <summary>Asks for the listener of a port that has been bound; disposing it ends that.</summary>
    /// <param name="endPoint">The address as it was bound, with the port that the system chose.</param>
    public InboundListener Add(IPEndPoint endPoint)
    {
        // gRFC A36: %s stands for the address that is listened on.
        var name = Settings.NameTemplate.Replace("%s", endPoint.ToString(), StringComparison.Ordinal);
        var listener = new InboundListener(name, endPoint, client, filters, identity, notes, Settings, time, logger, Remove);
        _open[listener] = true;
        listener.Changed += () => Changed?.Invoke();
        listener.Start();
        return listener;
    }

    /// <summary>Shows when the certificates of the ports expire.</summary>
    public void Register(MetricRegistry registry)
        => registry.Observe(
            new MetricDescription(
                "envoy_listener_ssl_certificate_expiration_unix_time_seconds", MetricType.Gauge, "When the certificate expires that a port shows.", ListenerCounters.Label, "envoy_tls_certificate"),
            visitor =>
            {
                foreach (var listener in Open)
                {
                    foreach (var certificates in (listener.Current?.All ?? []).Select(chain => chain.Tls).OfType<InboundTls>().GroupBy(tls => tls.Settings.CertificateSecret?.ToString() ?? ""))
                    {
                        if (certificates.Min(tls => tls.Expires()) is { } expires)
                        {
                            visitor.Value([listener.Counters.Address, certificates.Key], expires.ToUnixTimeSeconds());
                        }
                    }
                }
            });

    private void Remove(InboundListener listener) => _open.TryRemove(listener, out _);
}
