using Mesh.DataPlane.Tests.Telemetry.Metrics;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Mesh.Xds.Tests.Jwt;
using JwtAuthnCompiler = Mesh.DataPlane.Filters.JwtAuthn.JwtAuthnCompiler;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class RemoteJwksTests : IAsyncDisposable
{
    private const string Keys = "outbound|443||issuer.example";

    private readonly FilterMesh _mesh = new();
    private readonly TokenIssuer _issuer = new();
    private string _answer;
    private HttpStatusCode _status = HttpStatusCode.OK;
    private Task? _hold;

    public RemoteJwksTests()
    {
        _answer = TokenIssuer.KeySet(_issuer.RsaKey());
        _mesh.AddCluster(Keys, 44);
        _mesh.Respond = Respond;
    }

    private int Fetches => _mesh.Received.Count(r => r.Cluster == Keys);

    public async ValueTask DisposeAsync()
    {
        _issuer.Dispose();
        await _mesh.DisposeAsync();
    }

    [Fact]
    public async Task Keys_are_fetched_once_from_the_cluster_and_kept()
    {
        Listen();

        for (var i = 0; i < 3; i++)
        {
            (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var fetch = _mesh.Received.Where(r => r.Cluster == Keys).ShouldHaveSingleItem();
        (fetch.Method, fetch.Path).ShouldBe(("GET", "/keys.json"));
        var registry = _mesh.Services.GetRequiredService<MetricRegistry>();
        Exposition.Value(registry, "envoy_http_jwt_authn_jwks_fetch_success").ShouldBe(1);
        Exposition.Value(registry, "envoy_http_jwt_authn_jwks_fetch_failed").ShouldBe(0);
    }

    [Fact]
    public async Task A_request_without_a_token_fetches_nothing()
    {
        Listen();

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        Fetches.ShouldBe(0);
    }

    [Fact]
    public async Task Keys_are_fetched_again_when_they_have_grown_old_and_rotation_is_seen_then()
    {
        Listen(r => r.CacheDuration = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var next = new TokenIssuer("k2");
        _answer = TokenIssuer.KeySet(next.RsaKey());

        _mesh.Time.Advance(TimeSpan.FromSeconds(59));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Time.Advance(TimeSpan.FromSeconds(2));

        (await Get(next.Sign(TokenIssuer.Claims()))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await (await Get()).Text()).ShouldBe("Jwks doesn't have key to match kid or alg from Jwt");
        Fetches.ShouldBe(2);
    }

    [Fact]
    public async Task Keys_are_good_for_ten_minutes_where_nothing_is_said()
    {
        Listen();
        await Get();

        _mesh.Time.Advance(TimeSpan.FromSeconds(599));
        await Get();
        Fetches.ShouldBe(1);

        _mesh.Time.Advance(TimeSpan.FromSeconds(2));
        await Get();
        Fetches.ShouldBe(2);
    }

    [Theory]
    [InlineData(500, null)]
    [InlineData(404, null)]
    [InlineData(200, "{")]
    [InlineData(200, """{"keys":[]}""")]
    [InlineData(302, "")]
    public async Task Without_keys_nobody_passes(int status, string? answer)
    {
        (_status, _answer) = ((HttpStatusCode)status, answer ?? _answer);
        Listen();

        var response = await Get();

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await response.Text()).ShouldBe("Jwks remote fetch is failed");
        response.Details().ShouldBe("jwt_authn_access_denied{Jwks_remote_fetch_is_failed}");
        _mesh.Received.ShouldAllBe(r => r.Cluster == Keys);
    }

    [Fact]
    public async Task A_cluster_that_does_not_exist_lets_nobody_pass()
    {
        _mesh.Xds.Remove(ClusterType.Instance, Keys);
        Listen();

        (await (await Get()).Text()).ShouldBe("Jwks remote fetch is failed");
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read()
    {
        _answer = new string(' ', 1024 * 1024) + _answer;
        Listen();

        (await (await Get()).Text()).ShouldBe("Jwks remote fetch is failed");
    }

    [Fact]
    public async Task After_a_failure_requests_do_not_ask_again_before_its_time()
    {
        _status = HttpStatusCode.ServiceUnavailable;
        Listen();
        await Get();
        await Get();
        Fetches.ShouldBe(1);

        // The second wait is twice the first.
        _mesh.Time.Advance(TimeSpan.FromSeconds(1));
        await Get();
        await Get();
        Fetches.ShouldBe(2);
        _status = HttpStatusCode.OK;
        _mesh.Time.Advance(TimeSpan.FromSeconds(0.9));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _mesh.Time.Advance(TimeSpan.FromSeconds(1.1));

        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        Fetches.ShouldBe(3);
    }

    [Fact]
    public async Task What_was_fetched_serves_on_while_the_issuer_is_away()
    {
        Listen(r => r.CacheDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _status = HttpStatusCode.BadGateway;

        for (var i = 0; i < 3; i++)
        {
            _mesh.Time.Advance(TimeSpan.FromSeconds(20));
            (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        Fetches.ShouldBe(4);
    }

    [Fact]
    public async Task Requests_that_come_together_share_one_fetch()
    {
        var open = new TaskCompletionSource();
        _hold = open.Task;
        Listen();

        var all = Enumerable.Range(0, 20).Select(_ => Get()).ToArray();
        open.SetResult();
        await Task.WhenAll(all);

        all.ShouldAllBe(r => r.Result.StatusCode == HttpStatusCode.OK);
        Fetches.ShouldBe(1);
    }

    [Fact]
    public async Task A_fetch_is_tried_again_where_the_policy_says_so()
    {
        _status = HttpStatusCode.ServiceUnavailable;
        Listen(r =>
        {
            // The time between attempts is the test's to give, and however much of it passes must not end the fetch.
            r.HttpUri.Timeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(59));
            r.RetryPolicy = new Envoy.Config.Core.V3.RetryPolicy
            {
                NumRetries = 2,
                RetryBackOff = new BackoffStrategy { BaseInterval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) },
            };
        });
        var get = Get();
        while (!get.IsCompleted)
        {
            // No faster than real time, however late the thread that fetches is: hosts that nobody seems to use are forgotten by the same clock.
            await Task.WhenAny(get, Task.Delay(1));
            _mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Fetches.ShouldBe(3);
    }

    [Fact]
    public async Task Two_listeners_that_say_the_same_have_the_same_keys_and_a_new_version_keeps_them()
    {
        Listen();
        await Get();

        Listen();
        await Get();

        Fetches.ShouldBe(1);
        _mesh.Listen();
        Listen();
        await Get();
        Fetches.ShouldBe(2);
    }

    [Fact]
    public async Task Keys_that_are_fetched_ahead_hold_the_listener_and_are_refreshed_before_they_are_old()
    {
        Listen(r =>
        {
            r.AsyncFetch = new JwksAsyncFetch();
            r.CacheDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(60));
        });

        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
        Fetches.ShouldBe(1);

        await FetchedAfter(TimeSpan.FromSeconds(55), 2);
        _status = HttpStatusCode.InternalServerError;
        await FetchedAfter(TimeSpan.FromSeconds(55), 3);
        await FetchedAfter(TimeSpan.FromSeconds(1), 4);
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_listener_waits_for_keys_that_are_fetched_ahead_unless_it_is_a_fast_one()
    {
        var open = new TaskCompletionSource();
        _hold = open.Task;
        Listen(r => r.AsyncFetch = new JwksAsyncFetch { FastListener = true });
        await _mesh.GetAsync();
        Listen(r => r.AsyncFetch = new JwksAsyncFetch(), "/later.json");

        // The older filters serve: its rule asks for a token.
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        open.SetResult();
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task New_filters_wait_for_the_cluster_of_the_keys_and_the_old_ones_serve_meanwhile()
    {
        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.Xds.Forget(ClusterType.Instance, Keys);
        Listen();

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _mesh.AddCluster(Keys, 44);

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task New_filters_do_not_wait_for_ever()
    {
        await _mesh.GetAsync();
        _mesh.Xds.Forget(ClusterType.Instance, Keys);
        Listen();

        _mesh.Time.Advance(TimeSpan.FromSeconds(16));

        (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public void A_URI_may_leave_its_scheme_out_as_Istios_do()
    {
        CallCompiler.Uri(new HttpUri { Uri = "keys.example:8080/keys.json", Cluster = Keys, Timeout = new Duration { Seconds = 5 } }, "").Uri.ShouldBe(new Uri("http://keys.example:8080/keys.json"));
    }

    [Fact]
    public void What_cannot_be_fetched_is_refused()
    {
        foreach (var (change, path) in new (Action<HttpUri>, string)[]
        {
            (u => u.Uri = "keys.json", "remote_jwks.http_uri.uri"),
            (u => u.Uri = "/keys.json", "remote_jwks.http_uri.uri"),
            (u => u.Uri = "file:///keys.json", "remote_jwks.http_uri.uri"),
            (u => u.Uri = "https://user:password@issuer.example/", "remote_jwks.http_uri.uri"),
            (u => u.Cluster = "", "remote_jwks.http_uri.cluster"),
        })
        {
            var authentication = Authentication(null);
            change(authentication.Providers["p"].RemoteJwks.HttpUri);

            Should.Throw<ResourceRejectedException>(() => JwtAuthnCompiler.Compile(authentication, "", [])).Message.ShouldContain(path);
        }
    }

    private static JwtAuthentication Authentication(Action<RemoteJwks>? change, string path = "/keys.json")
    {
        var remote = new RemoteJwks
        {
            HttpUri = new HttpUri { Uri = "http://issuer.example" + path, Cluster = Keys, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) },
        };
        change?.Invoke(remote);
        return new JwtAuthentication
        {
            Providers = { ["p"] = new JwtProvider { Issuer = "issuer", RemoteJwks = remote } },
            Rules = { new RequirementRule { Match = new RouteMatch { Prefix = "/" }, Requires = new JwtRequirement { ProviderName = "p" } } },
        };
    }

    private HttpResponseMessage Respond(HttpRequestMessage request)
        => request.RequestUri!.AbsolutePath.EndsWith(".json", StringComparison.Ordinal)
            ? new HttpResponseMessage(_status) { Content = _hold is null ? new StringContent(_answer) : new HeldContent(_hold, _answer) }
            : new HttpResponseMessage();

    private async Task FetchedAfter(TimeSpan time, int fetches)
    {
        // The timer of the next fetch is there when this one is over.
        _mesh.Time.Advance(time);
        while (_mesh.Engine.Filters.Services.RemoteJwks.All.Any(jwks => jwks.IsFetching))
        {
            await Task.Yield();
        }

        Fetches.ShouldBe(fetches);
    }

    private void Listen(Action<RemoteJwks>? change = null, string path = "/keys.json")
        => _mesh.Listen(FilterMesh.Filter("envoy.filters.http.jwt_authn", Authentication(change, path)));

    private Task<HttpResponseMessage> Get(string? token = null)
        => _mesh.GetAsync("/", ("Authorization", "Bearer " + (token ?? _issuer.Sign(TokenIssuer.Claims()))));

    private sealed class HeldContent(Task hold, string text) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await hold;
            await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
