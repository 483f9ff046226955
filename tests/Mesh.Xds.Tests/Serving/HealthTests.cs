using Envoy.Service.Discovery.V3;
using Google.Rpc;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Serving;

/// <summary>Readiness on the ADS stream, as Istio's agent reports it: error_detail present means not ready.</summary>
public sealed class HealthTests : IAsyncDisposable
{
    private readonly AdsServerFixture _mesh = new();

    [Fact]
    public async Task A_report_is_confirmed_when_the_backend_is_done_with_it()
    {
        var done = new TaskCompletionSource();
        _mesh.Backend.OnHealth = (_, _) => done.Task;
        var peer = await _mesh.ConnectAsync();

        await peer.SendAsync(Report("draining"));
        _mesh.SetSecret("probe");
        await peer.SubscribeAsync(TypeUrls.Secret, "", "probe");
        (await peer.ReceiveAsync()).TypeUrl.ShouldBe(TypeUrls.Secret);
        _mesh.Backend.Health.ShouldBe([(false, "draining")]);
        done.SetResult();

        var confirmation = await peer.ReceiveAsync();
        confirmation.TypeUrl.ShouldBe(TypeUrls.HealthInformation);
        confirmation.VersionInfo.ShouldBe("unhealthy");
        confirmation.Nonce.ShouldNotBeEmpty();
        confirmation.Resources.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_incremental_stream_reports_alike_and_an_answer_to_the_confirmation_is_no_report()
    {
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SendAsync(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.HealthInformation, ErrorDetail = new Status { Code = 500, Message = "not yet" } });
        var confirmation = await peer.ReceiveAsync();
        confirmation.SystemVersionInfo.ShouldBe("unhealthy");

        await peer.AckAsync(confirmation);
        await peer.SendAsync(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.HealthInformation });

        (await peer.ReceiveAsync()).SystemVersionInfo.ShouldBe("healthy");
        _mesh.Backend.Health.ShouldBe([(false, "not yet"), (true, null)]);
    }

    [Fact]
    public async Task The_newest_report_replaces_one_that_is_still_worked_on()
    {
        var cancelled = new TaskCompletionSource();
        _mesh.Backend.OnHealth = (healthy, cancellation) =>
        {
            if (!healthy)
            {
                return Task.CompletedTask;
            }

            cancellation.Register(cancelled.SetResult);
            return new TaskCompletionSource().Task.WaitAsync(cancellation);
        };
        var peer = await _mesh.ConnectAsync();

        await peer.SendAsync(Report(null));
        await peer.SendAsync(Report("stopping"));

        (await peer.ReceiveAsync()).VersionInfo.ShouldBe("unhealthy");
        await cancelled.Task.Guarded();
    }

    [Fact]
    public async Task A_backend_that_fails_is_told_as_unknown()
    {
        _mesh.Backend.OnHealth = (_, _) => throw new InvalidOperationException("no registry");
        var peer = await _mesh.ConnectAsync();

        await peer.SendAsync(Report("stopping"));

        (await peer.ReceiveAsync()).VersionInfo.ShouldBe("unknown");
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private static DiscoveryRequest Report(string? error) => new()
    {
        TypeUrl = TypeUrls.HealthInformation,
        ErrorDetail = error is null ? null : new Status { Code = 500, Message = error },
    };
}
