using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Serving;

/// <summary>State of the world: <c>StreamAggregatedResources</c>.</summary>
internal sealed class SotwVariant : IAdsVariant<DiscoveryRequest, DiscoveryResponse>
{
    public bool IsDelta => false;

    public AdsRequest Read(DiscoveryRequest request) =>
        new(request.TypeUrl, request.Node, request.ResponseNonce, request.ErrorDetail, request.CalculateSize());

    public AdsSubscription<DiscoveryRequest, DiscoveryResponse> Subscribe(string typeUrl, SubscribedNames budget) => new SotwSubscription(typeUrl, budget);

    public DiscoveryResponse ConfirmHealth(string version, string nonce) => new()
    {
        TypeUrl = TypeUrls.HealthInformation,
        VersionInfo = version,
        Nonce = nonce,
        ControlPlane = new ControlPlane { Identifier = AdsServer.Identifier },
    };
}
