using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Hosts;

/// <summary>How long a request to a host that may be outside the mesh waits for the control plane's word.</summary>
public sealed class UnknownHostWaitTests
{
    private const string Outside = "api.example.com";
    private static readonly MeshOptions Options = new();

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedXdsClient _client = new();

    [Fact]
    public async Task A_server_that_may_never_answer_is_waited_for_a_quarter_of_a_second()
    {
        await using var engine = Engine();

        var waiting = engine.Hosts.ResolveAsync(Outside, 80, CancellationToken.None).AsTask();
        _time.Advance(Options.Client.UnknownHostTimeout);

        (await waiting.WaitAsync(Hang))!.State.Status.ShouldBe(HostStatus.Pending);
    }

    [Fact]
    public async Task A_server_that_answers_every_name_is_waited_for_so_that_a_slow_answer_does_not_lead_around_the_mesh()
    {
        _client.AnswersEveryName = true;
        await using var engine = Engine();

        var waiting = engine.Hosts.ResolveAsync(Outside, 80, CancellationToken.None).AsTask();
        _time.Advance(Options.Client.UnknownHostTimeout);
        _client.Remove(ListenerType.Instance, $"{Outside}:80");

        (await waiting.WaitAsync(Hang))!.State.Status.ShouldBe(HostStatus.Unknown);
    }

    [Fact]
    public async Task Its_silence_ends_the_wait_as_well()
    {
        _client.AnswersEveryName = true;
        await using var engine = Engine();

        var waiting = engine.Hosts.ResolveAsync(Outside, 80, CancellationToken.None).AsTask();
        _time.Advance(Options.Client.UnknownHostTimeout);
        await _time.WaitForTimerAsync(Options.Xds.ResourceTimeout).WaitAsync(Hang);
        _time.Advance(Options.Xds.ResourceTimeout);

        (await waiting.WaitAsync(Hang))!.HasTimedOut.ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_ends_the_wait()
    {
        _client.AnswersEveryName = true;
        await using var engine = Engine();

        var waiting = engine.Hosts.ResolveAsync(Outside, 80, CancellationToken.None).AsTask();
        _time.Advance(Options.Client.UnknownHostTimeout);
        _client.Fail(ListenerType.Instance, $"{Outside}:80", ResourceErrorKind.Unavailable, "refused");

        (await waiting.WaitAsync(Hang))!.State.Status.ShouldBe(HostStatus.Pending);
    }

    private static TimeSpan Hang => TimeSpan.FromSeconds(30);

    private MeshEngine Engine() => new(_client, Options, new SocketTransportFactory(_time), new SequenceRandomSource(1), _time);
}
