using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Mode = Istio.Networking.V1Alpha3.ClientTLSSettings.Types.TLSmode;
using PeerMode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;
using SocketMatch = Envoy.Config.Cluster.V3.Cluster.Types.TransportSocketMatch;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// The mesh's own mutual TLS towards a service: where a DestinationRule asks for it (<c>ISTIO_MUTUAL</c>) with everybody who serves it, elsewhere with
/// those who say that they speak it.
/// </summary>
internal sealed class MutualTlsTranslator(MeshModel model, MeshService service, MeshServicePort port, SubsetKey key, ClientTLSSettings? settings)
{
    /// <summary>Envoy's and Istio's name of a socket without TLS.</summary>
    private const string RawBufferName = "envoy.transport_sockets.raw_buffer";

    private const string MatchPrefix = "tlsMode-";

    private static readonly SocketMatch Disabled = new()
    {
        Name = MatchPrefix + "disabled",
        Match = new Struct(),
        TransportSocket = new TransportSocket { Name = RawBufferName, TypedConfig = Any.Pack(new RawBuffer()) },
    };

    /// <summary>Whether everybody who serves it is spoken to so.</summary>
    public bool IsAskedFor => settings?.Mode == Mode.IstioMutual;

    /// <summary>Whether those are spoken to so who can.</summary>
    /// <remarks>As in Istio a client goes by what holds for the service's namespace; what holds for single workloads its endpoints say.</remarks>
    public bool IsAutomatic
        => settings is null && model.Config.Mesh.HasAutoMutualTls && !service.IsExternal && model.Config.Policies.ModeOf(service.Namespace) != PeerMode.Disable;

    /// <summary>Sets how the cluster is spoken to.</summary>
    /// <param name="cluster">The cluster, whose kind is known.</param>
    /// <param name="isHttp2">Whether it speaks HTTP/2 and nothing else.</param>
    /// <param name="isAsCalled">Whether it speaks what the caller does.</param>
    public void ApplyTo(Cluster cluster, bool isHttp2, bool isAsCalled)
    {
        if (IsAskedFor)
        {
            cluster.TransportSocket = Socket(isHttp2, isAsCalled);
        }
        else if (IsAutomatic && cluster.Type != Cluster.Types.DiscoveryType.OriginalDst)
        {
            cluster.TransportSocketMatches.Add(new SocketMatch
            {
                Name = MatchPrefix + TlsMode.Istio,
                Match = new Struct { Fields = { [TlsMode.Key] = Value.ForString(TlsMode.Istio) } },
                TransportSocket = Socket(isHttp2, isAsCalled),
            });
            cluster.TransportSocketMatches.Add(Disabled);
        }
    }

    /// <summary>For a gRPC library, which is told of it only where a rule asks for it.</summary>
    public TransportSocket? SocketForGrpc()
        => IsAskedFor ? WorkloadCertificates.Socket(new UpstreamTlsContext { CommonTlsContext = WorkloadCertificates.ForGrpc(Names()) }) : null;

    /// <summary>Whether an endpoint is spoken to so, and has to say it.</summary>
    public bool Reaches(WorkloadInstance instance, uint declaredPort)
        => instance.SpeaksMutualTls
            && (settings is null ? MutualTlsModes.Of(model.Config.Policies.PeersOf(instance.Namespace, instance.Labels)).OfPort(declaredPort) != PeerMode.Disable : IsAskedFor);

    private TransportSocket Socket(bool isHttp2, bool isAsCalled)
    {
        // What proxies of a mesh call what they speak: by it a server tells them from the application's own TLS.
        string[] protocols = port.Protocol.IsHttp() || isAsCalled
            ? isHttp2 ? ["istio-h2", TlsMode.Istio] : isAsCalled ? ["istio-h2", "istio-http/1.1", TlsMode.Istio] : ["istio-http/1.1", TlsMode.Istio]
            : [TlsMode.Istio];
        return WorkloadCertificates.Socket(new UpstreamTlsContext
        {
            CommonTlsContext = WorkloadCertificates.ForMesh(Names(), protocols),
            Sni = settings is { Sni.Length: > 0 } ? settings.Sni : $"outbound_.{key.Port}_.{key.Subset}_.{key.Host}",
        });
    }

    /// <summary>Whom the client believes: those whom a rule names, else the accounts of those who serve and the names that the service has.</summary>
    private IEnumerable<StringMatcher> Names()
    {
        var names = settings is { SubjectAltNames.Count: > 0 }
            ? (IEnumerable<string>)settings.SubjectAltNames
            : model.EndpointsOf(service).Accounts
                .SelectMany(account => model.Config.Mesh.TrustDomains.All.Select(domain => $"spiffe://{domain}/{account}"))
                .Concat(service.SubjectAltNames)
                .Distinct()
                .Order(StringComparer.Ordinal);
        return names.Select(name => new StringMatcher { Exact = name });
    }
}
