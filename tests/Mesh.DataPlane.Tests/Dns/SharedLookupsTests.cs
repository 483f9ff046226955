using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>However many want to know a name at once, it is asked for once.</summary>
public sealed class SharedLookupsTests
{
    private const string Host = "api.example.com";

    private readonly ScriptedResolver _resolver = new(new ManualTimeProvider());

    [Fact]
    public async Task A_name_is_asked_for_once_at_a_time_and_again_afterwards()
    {
        var shared = new SharedLookups(_resolver);
        var held = _resolver.Hold(Host);
        var asking = Enumerable.Range(0, 100).Select(i => Ask(shared, i % 2 == 0 ? Host : "API.example.com")).ToList();
        _resolver.Asked.Count.ShouldBe(1);

        held.SetResult(DnsResolution.Of([IPAddress.Loopback]));

        (await Task.WhenAll(asking)).ShouldAllBe(r => r.Addresses.Single().Equals(IPAddress.Loopback));
        _resolver.Answer(Host, 0, "10.0.0.1");
        (await Ask(shared)).Addresses.ShouldBe([IPAddress.Parse("10.0.0.1")]);
        _resolver.Asked.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Other_families_and_ways_are_other_questions()
    {
        var shared = new SharedLookups(_resolver);
        var held = _resolver.Hold(Host);
        Task[] asking =
        [
            Ask(shared),
            shared.ResolveAsync(new DnsQuery(Host, DnsLookupFamily.V6Only), default).AsTask(),
            shared.ResolveAsync(new DnsQuery(Host, DnsLookupFamily.V4Only, UseTcp: true), default).AsTask(),
        ];

        _resolver.Asked.Count.ShouldBe(3);
        held.SetResult(DnsResolution.Of([]));
        await Task.WhenAll(asking);
    }

    [Fact]
    public async Task Whoever_leaves_does_not_take_the_answer_from_the_others()
    {
        var shared = new SharedLookups(_resolver);
        var held = _resolver.Hold(Host);
        using var leave = new CancellationTokenSource();
        var leaving = shared.ResolveAsync(new DnsQuery(Host, DnsLookupFamily.V4Only), leave.Token).AsTask();
        var staying = Ask(shared);

        await leave.CancelAsync();
        (await Record.ExceptionAsync(() => leaving)).ShouldBeAssignableTo<OperationCanceledException>();
        held.SetResult(DnsResolution.Of([IPAddress.Loopback]));

        (await staying).Addresses.ShouldBe([IPAddress.Loopback]);
    }

    [Fact]
    public async Task A_question_that_nobody_waits_for_is_given_up()
    {
        var shared = new SharedLookups(_resolver);
        var abandoned = new TaskCompletionSource();
        _resolver.On(Host, async token =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                abandoned.SetResult();
            }

            return DnsResolution.Of([]);
        });
        using var leave = new CancellationTokenSource();
        var leaving = shared.ResolveAsync(new DnsQuery(Host, DnsLookupFamily.V4Only), leave.Token).AsTask();

        await leave.CancelAsync();

        (await Record.ExceptionAsync(() => leaving)).ShouldBeAssignableTo<OperationCanceledException>();
        await abandoned.Task.WaitAsync(TimeSpan.FromSeconds(30));
        _resolver.Answer(Host, 5, "10.0.0.1");
        (await Ask(shared)).Addresses.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_resolver_that_throws_is_a_failure_to_all()
    {
        var shared = new SharedLookups(_resolver);
        _resolver.On(Host, _ => throw new InvalidOperationException("a bug"));

        (await Ask(shared)).Failure.ShouldBe($"{Host}: a bug");
    }

    private static Task<DnsResolution> Ask(SharedLookups shared, string host = Host) => shared.ResolveAsync(new DnsQuery(host, DnsLookupFamily.V4Only), default).AsTask();
}
