using System.Net;
using Envoy.Service.Status.V3;
using Mesh.DataPlane.Tests;
using Mesh.Xds.Client;
using Mesh.Xds.ClientStatus;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Tests.ClientStatus;

/// <summary>Who is told what a process has got from its control plane: callers on this machine, and whom the application authorizes.</summary>
public sealed class ClientStatusAccessTests : IAsyncDisposable
{
    private static readonly GrpcMethod<ClientStatusRequest, ClientStatusResponse> Fetch = new(ClientStatusMethods.Fetch, ClientStatusResponse.Parser);

    private WebApplication? _app;

    [Fact]
    public async Task Callers_on_this_machine_are_answered()
        => (await AskAsync(IPAddress.Loopback, isAuthorized: false)).Config.ShouldHaveSingleItem().Node.Id.ShouldBe("scripted");

    [Fact]
    public async Task Callers_on_other_machines_are_refused()
        => (await Should.ThrowAsync<RpcException>(AskAsync(IPAddress.Parse("192.0.2.7"), isAuthorized: false))).StatusCode.ShouldBe(StatusCode.PermissionDenied);

    [Fact]
    public async Task Unless_the_application_has_authorized_them()
        => (await AskAsync(IPAddress.Parse("192.0.2.7"), isAuthorized: true)).Config.Count.ShouldBe(1);

    [Fact]
    public void Without_a_mesh_it_says_so()
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        Should.Throw<InvalidOperationException>(() => app.MapMeshClientStatus()).Message.ShouldContain("AddMesh()");
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    private async Task<ClientStatusResponse> AskAsync(IPAddress from, bool isAuthorized)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton<IXdsClient>(new ScriptedXdsClient());
        builder.Services.AddAuthorization();
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = from;
            return next(context);
        });
        _app.UseRouting();
        _app.UseAuthorization();
        var status = _app.MapMeshClientStatus();
        if (isAuthorized)
        {
            status.RequireAuthorization(policy => policy.RequireAssertion(_ => true));
        }

        await _app.StartAsync();
        using var channel = new GrpcChannel(GrpcTarget.Parse(_app.Urls.Single()), new GrpcChannelOptions());
        return await channel.UnaryAsync(Fetch, new ClientStatusRequest(), GrpcCallOptions.Default, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
    }
}
