using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Mesh.ControlPlane.Issuers;
using Mesh.Testing;

namespace Mesh.ControlPlane.Tests.Issuers;

/// <summary>Issuers are asked at once, again from time to time, and again soon where they do not answer.</summary>
public sealed class OpenIdDiscoveryTests : IDisposable
{
    private const string Issuer = "https://login.example";
    private static readonly TimeSpan _hang = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly Documents _documents = new();
    private readonly OpenIdDiscovery _discovery;
    private readonly Channel<IssuerAnswer?> _changes = Channel.CreateUnbounded<IssuerAnswer?>();

    public OpenIdDiscoveryTests()
    {
        _discovery = new OpenIdDiscovery(_documents, _time, new EvenRandomSource());
        _discovery.Changed += () => _changes.Writer.TryWrite(_discovery.Find(Issuer));
    }

    [Fact]
    public async Task An_issuer_is_asked_again_after_a_failure_and_what_it_said_last_stays_when_it_fails_later()
    {
        _documents.Answer = () => throw new IssuerException("Connection refused");
        _discovery.Follow(new HashSet<string> { Issuer });
        (await NextAsync()).ShouldBe(new IssuerAnswer(null, "failed to fetch https://login.example/.well-known/openid-configuration: Connection refused"));

        _documents.Answer = () => Json("https://login.example/keys");
        await StepAsync(TimeSpan.FromSeconds(2));
        (await NextAsync()).ShouldBe(new IssuerAnswer("https://login.example/keys", null));

        _documents.Answer = () => throw new IssuerException("it answers with status 503");
        await StepAsync(OpenIdDiscovery.RefreshInterval);
        var kept = await NextAsync();
        (kept!.JwksUri, kept.Problem).ShouldBe(("https://login.example/keys", "failed to fetch https://login.example/.well-known/openid-configuration: it answers with status 503"));

        _documents.Answer = () => Json("https://login.example/others");
        await StepAsync(TimeSpan.FromSeconds(2));
        (await NextAsync()).ShouldBe(new IssuerAnswer("https://login.example/others", null));
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_is_given_up_in_time()
    {
        _documents.Answer = () => null;
        _discovery.Follow(new HashSet<string> { Issuer });
        await _documents.Asked.Reader.ReadAsync().AsTask().WaitAsync(_hang);

        await StepAsync(OpenIdDiscovery.Timeout);

        (await NextAsync())!.Problem.ShouldBe("failed to fetch https://login.example/.well-known/openid-configuration: it has not answered within 5 s");
    }

    [Fact]
    public async Task One_whom_no_rule_names_any_more_is_asked_no_more_and_forgotten()
    {
        _documents.Answer = () => Json("https://login.example/keys");
        _discovery.Follow(new HashSet<string> { Issuer, "testing@secure.istio.io" });
        await NextAsync();
        await _time.WaitForTimersAsync(1).WaitAsync(_hang);

        _discovery.Follow(new HashSet<string>());

        _discovery.Find(Issuer).ShouldBeNull();
        _time.ActiveTimers.ShouldBe(0);
        _documents.Addresses.ShouldBe(["https://login.example/.well-known/openid-configuration"]);
    }

    [Fact]
    public async Task At_most_eight_are_asked_at_a_time()
    {
        _documents.Answer = () => null;
        _discovery.Follow(Enumerable.Range(0, 20).Select(i => $"https://{i}.example").ToHashSet());
        for (var i = 0; i < 8; i++)
        {
            await _documents.Asked.Reader.ReadAsync().AsTask().WaitAsync(_hang);
        }

        // The deadlines of eight, and no other has begun.
        _time.ActiveTimers.ShouldBe(8);
        _documents.Addresses.Count.ShouldBe(8);
    }

    public void Dispose() => _discovery.Dispose();

    private static byte[] Json(string uri) => Encoding.UTF8.GetBytes($$"""{"jwks_uri":"{{uri}}"}""");

    private Task<IssuerAnswer?> NextAsync() => _changes.Reader.ReadAsync().AsTask().WaitAsync(_hang);

    private async Task StepAsync(TimeSpan by)
    {
        await _time.WaitForTimersAsync(1).WaitAsync(_hang);
        _time.Advance(by);
    }

    private sealed class Documents : IIssuerDocuments
    {
        private readonly ConcurrentQueue<string> _addresses = [];

        public Func<byte[]?> Answer { get; set; } = () => null;

        public IReadOnlyCollection<string> Addresses => _addresses;

        public Channel<Uri> Asked { get; } = Channel.CreateUnbounded<Uri>();

        public async Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken)
        {
            _addresses.Enqueue(address.AbsoluteUri);
            Asked.Writer.TryWrite(address);
            if (Answer() is { } answer)
            {
                return answer;
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException();
        }
    }
}
