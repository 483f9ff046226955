using System.Net;
using Mesh.Xds.Client;

namespace Mesh.Server.Tests.Inbound;

/// <summary>Nobody is let in before the control plane has said who may come, and what it said last stays.</summary>
public sealed class FirstConfigurationTests
{
    [Fact]
    public async Task The_first_connections_wait_for_the_listener()
    {
        await using var app = await InboundApp.StartAsync();
        using var client = MeshCaller.Plain(app.Port);
        var answer = client.GetStringAsync("/who");

        app.Set(Listeners.Disabled(app.EndPoint));

        (await answer).ShouldBe("HTTP/1.1 http nobody plain");
    }

    [Fact]
    public async Task A_port_without_a_listener_refuses_everybody_and_says_so()
    {
        await using var app = await InboundApp.StartAsync();
        app.RemoveListener(Listeners.NameOf(app.EndPoint));

        (await MeshCaller.IsClosedAsync(app.Port)).ShouldBeTrue();

        app.Refusals.ShouldHaveSingleItem().ShouldContain("has no listener xds.istio.io/grpc/lds/inbound/127.0.0.1:");
    }

    [Fact]
    public async Task A_listener_that_never_comes_refuses_after_the_resource_timeout_and_lets_in_when_it_comes_after_all()
    {
        await using var app = await InboundApp.StartAsync(manualTime: true);
        var waiting = MeshCaller.IsClosedAsync(app.Port);

        app.Time.Advance(TimeSpan.FromSeconds(15));

        (await waiting).ShouldBeTrue();
        (await MeshCaller.IsClosedAsync(app.Port)).ShouldBeTrue("nobody waits twice");
        app.Refusals.First().ShouldContain("Mesh:Xds:ResourceTimeout");

        app.Set(Listeners.Disabled(app.EndPoint));
        using var client = MeshCaller.Plain(app.Port);
        (await client.GetStringAsync("/who")).ShouldBe("HTTP/1.1 http nobody plain");
    }

    [Fact]
    public async Task What_is_wrong_leaves_the_last_good_listener_in_force()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        await client.GetStringAsync("/who");

        app.Xds.Fail(app.ListenerType, Listeners.NameOf(app.EndPoint), ResourceErrorKind.Invalid, "it cannot be used");
        app.Xds.Fail(app.ListenerType, Listeners.NameOf(app.EndPoint), ResourceErrorKind.Unavailable, "the control plane is away");

        (await client.GetStringAsync("/who")).ShouldEndWith("mtls");
        using var another = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await another.GetStringAsync("/who")).ShouldEndWith("mtls");
    }

    [Fact]
    public async Task A_listener_waits_for_its_secrets()
    {
        await using var app = await InboundApp.StartAsync();
        app.Set(Listeners.Strict(app.EndPoint, Listeners.Tls("cert", "trust")));
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        var answer = client.GetStringAsync("/who");

        app.Set(Listeners.CertificateSecret("cert", app.Workload("server")));
        answer.IsCompleted.ShouldBeFalse();
        app.Set(Listeners.TrustSecret("trust", app.Authority.Pem));

        (await answer).ShouldEndWith("mtls");
    }
}
