using System.Net;
using Envoy.Service.Discovery.V3;
using Mesh.Xds.Grpc;
using Mesh.Xds.Server.Grpc;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Server.Tests;

/// <summary>A Kestrel host with the ADS server and two methods of the test's own, and an HTTP/2 client to it.</summary>
internal sealed class GrpcHost : IAsyncDisposable
{
    private GrpcHost(WebApplication app, TestBackend backend)
    {
        App = app;
        Backend = backend;
        Client = new RawGrpcClient(new Uri(app.Urls.Single()));
    }

    public WebApplication App { get; }

    public TestBackend Backend { get; }

    public RawGrpcClient Client { get; }

    /// <summary>The <c>grpc-status</c> that the last call to end has put into its trailers.</summary>
    public string? LastStatus { get; private set; }

    public IAdsServer Server => App.Services.GetRequiredService<IAdsServer>();

    public static async Task<GrpcHost> StartAsync(Func<DiscoveryRequest, CancellationToken, Task<DiscoveryResponse>>? unary = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var backend = new TestBackend();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IAdsBackend>(backend);
        builder.Services.AddSingleton<IAdsServer, AdsServer>();
        var app = builder.Build();
        GrpcHost? host = null;
        app.Use(async (context, next) =>
        {
            await next();
            host!.LastStatus = context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers[GrpcHeaderNames.Status];
        });
        app.MapMeshXds();
        app.MapGrpcUnary("/test.Service/Unary", DiscoveryRequest.Parser, (request, _, cancellation) => unary!(request, cancellation));
        await app.StartAsync();
        return host = new GrpcHost(app, backend);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
    }
}
