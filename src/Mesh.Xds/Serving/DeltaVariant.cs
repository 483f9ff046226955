using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Serving;

/// <summary>Incremental: <c>DeltaAggregatedResources</c>.</summary>
internal sealed class DeltaVariant(AdsServerLimits limits) : IAdsVariant<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
{
    public bool IsDelta => true;

    public AdsRequest Read(DeltaDiscoveryRequest request) =>
        new(request.TypeUrl, request.Node, request.ResponseNonce, request.ErrorDetail, request.CalculateSize());

    public AdsSubscription<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Subscribe(string typeUrl, SubscribedNames budget) =>
        new DeltaSubscription(typeUrl, budget, limits.MaxDeltaResponseBytes);

    public DeltaDiscoveryResponse ConfirmHealth(string version, string nonce) => new()
    {
        TypeUrl = TypeUrls.HealthInformation,
        SystemVersionInfo = version,
        Nonce = nonce,
        ControlPlane = new ControlPlane { Identifier = AdsServer.Identifier },
    };
}
