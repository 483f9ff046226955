namespace Mesh.Xds.ClientStatus;

/// <summary>Envoy's <c>ClientStatusDiscoveryService</c> (CSDS): the paths of its methods.</summary>
internal static class ClientStatusMethods
{
    private const string Service = "/envoy.service.status.v3.ClientStatusDiscoveryService/";

    /// <summary>One question, one answer.</summary>
    public const string Fetch = Service + "FetchClientStatus";

    /// <summary>An answer to each question.</summary>
    public const string Stream = Service + "StreamClientStatus";
}
