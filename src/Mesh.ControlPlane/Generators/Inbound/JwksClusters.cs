using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using DiscoveryType = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>
/// The clusters by which the keys of issuers are fetched, under Istio's names: a service's where one has the host, else one of the host itself, so that
/// keys of the outside are fetched without a ServiceEntry, as with Istio.
/// </summary>
internal static class JwksClusters
{
    public static SubsetKey KeyOf(Proxy proxy, ConfigIndex config, JwksUri uri)
        => NamedDestinations.OfUri(proxy, config, uri) is { } target ? new SubsetKey(target.Port, "", target.Service.Host) : new SubsetKey(uri.Port, "", uri.Host);

    /// <summary>The same of a host that signals are sent to.</summary>
    public static JwksUri? FindCollector(Proxy proxy, ConfigIndex config, SubsetKey key)
        => config.SignalsOf(proxy, WorkloadMode.Client).NamesHost(key) || config.SignalsOf(proxy, WorkloadMode.Server).NamesHost(key)
            ? new JwksUri(key.Host, key.Port, false)
            : null;

    /// <summary>Where the keys for a workload's tokens are fetched from by this cluster; <see langword="null"/>: it fetches none by it.</summary>
    public static JwksUri? Find(Proxy proxy, ConfigIndex config, SubsetKey key)
    {
        if (key.Subset.Length > 0)
        {
            return null;
        }

        foreach (var rule in config.Policies.Of(proxy.Namespace, proxy.Labels).JwtRules)
        {
            if (rule.JwksUri.Length > 0 && JwksUri.TryParse(rule.JwksUri, out var uri, out _) && KeyOf(proxy, config, uri) == key)
            {
                return uri;
            }
        }

        return null;
    }

    public static Cluster Generate(Proxy proxy, MeshSettings mesh, SubsetKey key, JwksUri uri)
    {
        var cluster = new Cluster
        {
            Name = key.ToString(),
            Type = DiscoveryType.StrictDns,
            ConnectTimeout = mesh.ConnectTimeout,
            LoadAssignment = new ClusterLoadAssignment
            {
                ClusterName = key.ToString(),
                Endpoints =
                {
                    new LocalityLbEndpoints
                    {
                        LbEndpoints =
                        {
                            new LbEndpoint
                            {
                                Endpoint = new Endpoint { Address = new Address { SocketAddress = new SocketAddress { Address = uri.Host, PortValue = uri.Port } } },
                            },
                        },
                    },
                },
            },
        };
        ClusterGenerator.AddDns(cluster, proxy, mesh);
        if (uri.IsTls)
        {
            var name = new StringMatcher { Exact = uri.Host };
            var validation = new CertificateValidationContext { SystemRootCerts = new() };
#pragma warning disable CS0612 // Istio says names in the older form.
            validation.MatchSubjectAltNames.Add(name);
#pragma warning restore CS0612
            cluster.TransportSocket = WorkloadCertificates.Socket(new UpstreamTlsContext
            {
                Sni = System.Net.IPAddress.TryParse(uri.Host, out _) ? "" : uri.Host,
                CommonTlsContext = new CommonTlsContext { ValidationContext = validation },
            });
        }

        return cluster;
    }
}
