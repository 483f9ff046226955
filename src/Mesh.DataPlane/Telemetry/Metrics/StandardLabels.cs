using System.Globalization;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Works out the values of the standard labels, as Istio's filter does: what is not known is <c>unknown</c>, a revision <c>latest</c>.</summary>
/// <param name="reporter">Whose metrics they are.</param>
/// <param name="local">Who this process is.</param>
internal sealed class StandardLabels(Reporter reporter, Peer local)
{
    /// <summary>Of a request.</summary>
    public string[] Of(in RequestKey key)
    {
        var labels = Ends(key.Peer, key.Service, key.Principals);
        labels[(int)IstioLabel.RequestProtocol] = key.IsGrpc ? "grpc" : "http";
        labels[(int)IstioLabel.ResponseCode] = key.Status.ToString(CultureInfo.InvariantCulture);
        labels[(int)IstioLabel.GrpcResponseStatus] = key.IsGrpc && key.GrpcStatus >= 0 ? key.GrpcStatus.ToString(CultureInfo.InvariantCulture) : "";
        labels[(int)IstioLabel.ResponseFlags] = Flags(key.Flags);
        return labels;
    }

    /// <summary>Of a connection.</summary>
    public string[] OfConnection(Peer peer, ServiceNames service, Principals principals, string flags)
    {
        var labels = Ends(peer, service, principals);
        labels[(int)IstioLabel.RequestProtocol] = "tcp";
        labels[(int)IstioLabel.ResponseCode] = "0";
        labels[(int)IstioLabel.GrpcResponseStatus] = "";
        labels[(int)IstioLabel.ResponseFlags] = Flags(flags);
        return labels;
    }

    private static string Flags(string flags) => flags.Length == 0 ? "-" : flags;

    private static string Known(string value) => value.Length == 0 ? Peer.UnknownValue : value;

    private string[] Ends(Peer peer, ServiceNames service, Principals principals)
    {
        var labels = new string[IstioStandard.LabelNames.Length];
        var isSource = reporter == Reporter.Source;
        var (source, destination) = isSource ? (local, peer) : (peer, local);
        var peerNamespace = principals.PeerNamespace.Length > 0 ? principals.PeerNamespace : peer.Namespace;
        Set(IstioLabel.Reporter, isSource ? "source" : "destination");
        Set(IstioLabel.SourceWorkload, source.Workload);
        Set(IstioLabel.SourceCanonicalService, source.CanonicalService);
        Set(IstioLabel.SourceCanonicalRevision, source.CanonicalRevision);
        Set(IstioLabel.SourceWorkloadNamespace, isSource ? local.Namespace : peerNamespace);
        Set(IstioLabel.SourcePrincipal, Known(isSource ? principals.Local : principals.Peer));
        Set(IstioLabel.SourceApp, source.App);
        Set(IstioLabel.SourceVersion, source.Version);
        Set(IstioLabel.SourceCluster, source.Cluster);
        Set(IstioLabel.DestinationWorkload, destination.Workload);
        Set(IstioLabel.DestinationWorkloadNamespace, isSource ? peerNamespace : local.Namespace);
        Set(IstioLabel.DestinationPrincipal, Known(isSource ? principals.Peer : principals.Local));
        Set(IstioLabel.DestinationApp, destination.App);
        Set(IstioLabel.DestinationVersion, destination.Version);
        Set(IstioLabel.DestinationCanonicalService, destination.CanonicalService);
        Set(IstioLabel.DestinationCanonicalRevision, destination.CanonicalRevision);
        Set(IstioLabel.DestinationCluster, destination.Cluster);

        // A server that nobody has told its service's name goes by its canonical one.
        Set(IstioLabel.DestinationService, service.Host.Length > 0 ? service.Host : isSource ? Peer.UnknownValue : local.CanonicalService);
        Set(IstioLabel.DestinationServiceName, service.Name.Length > 0 ? service.Name : isSource ? Peer.UnknownValue : local.CanonicalService);
        Set(IstioLabel.DestinationServiceNamespace, service.Namespace.Length > 0 ? service.Namespace : isSource ? peerNamespace : local.Namespace);

        // A client's word for how safe its connection is would be worth nothing: only servers tell.
        Set(IstioLabel.ConnectionSecurityPolicy, isSource ? Peer.UnknownValue : principals.AreMutual ? "mutual_tls" : "none");
        return labels;

        void Set(IstioLabel label, string value) => labels[(int)label] = value;
    }
}
