using Envoy.Service.Discovery.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Certificates;
using Mesh.Xds.Server;
using Mesh.Xds.Server.Grpc;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts the ADS server of Mesh among an application's endpoints.</summary>
public static class MeshXdsEndpointRouteBuilderExtensions
{
    private const string Service = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";

    /// <summary>
    /// Maps Envoy's <c>AggregatedDiscoveryService</c> (<c>StreamAggregatedResources</c> and <c>DeltaAggregatedResources</c>) for the control plane that is
    /// registered in the container, Envoy's <c>LoadReportingService</c> and, for those who may read the status, <c>ClientStatusDiscoveryService</c>, Istio's <c>IstioCertificateService</c> if it has a certificate authority, and answers other gRPC calls with <c>UNIMPLEMENTED</c>. The port must speak HTTP/2.
    /// </summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <returns>A builder for conventions of all these endpoints.</returns>
    /// <exception cref="InvalidOperationException">No control plane is registered.</exception>
    public static IEndpointConventionBuilder MapMeshXds(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var server = endpoints.ServiceProvider.GetService<IAdsServer>()
            ?? throw new InvalidOperationException("MapMeshXds: no control plane is registered; call AddMeshControlPlane() on the services first.");

        var group = endpoints.MapGroup("");
        group.MapGrpcDuplex<DiscoveryRequest, DiscoveryResponse>(
            Service + "StreamAggregatedResources",
            DiscoveryRequest.Parser,
            call => server.ServeAsync(new GrpcAdsCall<DiscoveryResponse, DiscoveryRequest>(call), HttpCaller.CredentialsOf(call.HttpContext), call.CancellationToken));
        group.MapGrpcDuplex<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(
            Service + "DeltaAggregatedResources",
            DeltaDiscoveryRequest.Parser,
            call => server.ServeDeltaAsync(new GrpcAdsCall<DeltaDiscoveryResponse, DeltaDiscoveryRequest>(call), HttpCaller.CredentialsOf(call.HttpContext), call.CancellationToken));
        if (endpoints.ServiceProvider.GetService<ILoadReportServer>() is { } loads)
        {
            group.MapGrpcDuplex<LoadStatsRequest, LoadStatsResponse>(
                Mesh.Xds.Ads.LoadReportingMethods.Stream,
                LoadStatsRequest.Parser,
                call => loads.ServeAsync(
                    new GrpcAdsCall<LoadStatsResponse, LoadStatsRequest>(call),
                    HttpCaller.ConnectionOf(call.HttpContext),
                    call.CancellationToken));
        }

        if (endpoints.ServiceProvider.GetService<IClientStatusServer>() is { } clients)
        {
            ClientStatusEndpoint.Map(group, (request, context) => clients.Read(request, HttpCaller.CredentialsOf(context)));
        }

        if (endpoints.ServiceProvider.GetService<ICertificateIssuer>() is { } issuer)
        {
            CertificateServiceEndpoint.Map(group, issuer);
        }

        group.MapGrpcUnimplemented();
        return group;
    }
}
