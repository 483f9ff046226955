using System.Collections.Concurrent;
using System.Net;

namespace Mesh.Testing.Tests;

/// <summary>What the pages say of their examples, done with those examples.</summary>
public sealed class DocumentedBehaviourTests : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Version, HttpRequestMessage Request)> _seen = new();
    private MeshTestHost _mesh = null!;

    public async ValueTask DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task A_match_is_one_of_its_items_and_all_of_its_conditions()
    {
        var client = await ApplyAsync("reviews", Pages.Yaml("routing.md", "## Matching"));

        (await VersionAsync(client, "/api/1?lang=de", ("x-beta", "yes"))).ShouldBe("v2");
        (await VersionAsync(client, "/api/1?lang=es", ("x-beta", "yes"))).ShouldBe("v1");
        (await VersionAsync(client, "/books/12")).ShouldBe("v1", "the client is not the productpage");
        var page = _mesh.CreateClient("http://reviews:9080", new MeshWorkload("productpage"));
        (await VersionAsync(page, "/books/12")).ShouldBe("v2");
        (await VersionAsync(page, "/books/12", ("user-agent", "curl/8"))).ShouldBe("v1");
    }

    [Fact]
    public async Task The_entries_of_a_delegate_stand_where_the_root_delegates()
    {
        var client = await ApplyAsync("productpage", Pages.Yaml("routing.md", "### One host, several documents"));

        (await ServedAsync(client, "/reviews/beta")).ShouldBe("reviews v2");
        (await ServedAsync(client, "/reviews/1")).ShouldBe("reviews v1");
        (await ServedAsync(client, "/")).ShouldBe("productpage v1");

        // The timeout is the root's.
        Silence("reviews");
        var waiting = client.GetAsync("/reviews/1");
        await SilentAsync();
        _mesh.Time.Advance(TimeSpan.FromSeconds(5));
        (await waiting.WaitAsync(Guard.Time)).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    [Fact]
    public async Task Some_routes_answer_by_themselves()
    {
        var client = await ApplyAsync("productpage", Pages.Yaml("routing.md", "## Answers without an upstream"));

        // The client follows redirects, this one too; and this mesh lets nobody out.
        (await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("/old/page?x=1"))).Message.ShouldContain("shop.example:443");
        (_mesh.Decisions.Last().Authority, _mesh.Decisions.Last().Path).ShouldBe(("shop.example", "/new/page?x=1"));
        var teapot = await client.GetAsync("/teapot");
        ((int)teapot.StatusCode, await teapot.Content.ReadAsStringAsync(), teapot.Headers.GetValues("x-answered-by").Single()).ShouldBe((418, "short and stout", "mesh"));
        _seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Rewrites_keep_the_query_and_tell_the_old_path()
    {
        var client = await ApplyAsync("ratings", Pages.Yaml("routing.md", "## Rewrites"));

        (await client.GetAsync("/v2/a?b=c")).Dispose();
        var first = Last();
        (first.RequestUri!.PathAndQuery, first.Headers.Host, first.Headers.GetValues("x-envoy-original-path").Single()).ShouldBe(("/a?b=c", "ratings.internal", "/v2/a?b=c"));
        (await client.GetAsync("/product/7/ratings")).Dispose();
        Last().RequestUri!.PathAndQuery.ShouldBe("/ratings/7");
    }

    [Fact]
    public async Task Headers_are_set_by_destination_and_entry()
    {
        var client = await ApplyAsync("reviews", Pages.Yaml("routing.md", "## Headers"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "x-page", "home" }, { "x-debug", "1" } } };
        using var response = await client.SendAsync(request);
        Last().Headers.GetValues("x-from-page").ShouldBe(["home"]);
        Last().Headers.Contains("x-debug").ShouldBeFalse();
        Last().Headers.Contains("x-route").ShouldBeFalse("the route has no name, and a value with nothing to tell is left out");
        response.Headers.GetValues("x-served-by").Single().ShouldNotBeEmpty();
        response.Headers.Contains("x-version").ShouldBe(_seen.Last().Version == "v1");
        request.Headers.Contains("x-debug").ShouldBeTrue("the message is the caller's");
    }

    [Theory]
    [InlineData(600, 4, "upstream_per_try_timeout", "UT,URX")]
    [InlineData(0, 1, "response_timeout", "UT")]
    public async Task A_timeout_is_a_response(int perTry, int attempts, string details, string flags)
    {
        var yaml = Pages.Yaml("timeouts-and-retries.md", "# Timeouts and retries").Replace("timeout: 2s", "timeout: 60s", StringComparison.Ordinal);
        if (perTry == 0)
        {
            yaml = yaml.Replace("perTryTimeout: 600ms", "", StringComparison.Ordinal);
        }

        var client = await ApplyAsync("ratings", yaml);
        Silence("ratings");
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://ratings:9080/");
        var waiting = client.SendAsync(request);
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            await SilentAsync();
            _mesh.Time.Advance(perTry > 0 ? TimeSpan.FromMilliseconds(perTry) : TimeSpan.FromSeconds(60));
        }

        using var response = await waiting.WaitAsync(Guard.Time);
        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        (await response.Content.ReadAsStringAsync()).ShouldBe("upstream request timeout");
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var told);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flag);
        (told, flag).ShouldBe((details, flags));
        request.Options.TryGetValue(MeshRequest.Attempts, out var made).ShouldBeTrue();
        made.ShouldBe(attempts);
    }

    [Fact]
    public async Task One_request_is_on_its_way_one_waits_and_the_third_is_refused()
    {
        var client = await ApplyAsync("ratings", Pages.Yaml("failing-hosts.md", "## Circuit breakers"), versions: ["v1"]);
        Silence("ratings");
        var first = client.GetAsync("/1");
        await SilentAsync();
        var second = client.GetAsync("/2");
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://ratings:9080/3");
        using var third = await client.SendAsync(request).WaitAsync(Guard.Time);

        (third.StatusCode, third.Headers.GetValues("x-envoy-overloaded").Single()).ShouldBe((HttpStatusCode.ServiceUnavailable, "true"));
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details);
        (flags, details).ShouldBe(("UO", "upstream_reset_before_response_started{overflow}"));

        Answer();
        (await first.WaitAsync(Guard.Time)).Dispose();
        await SilentAsync();
        Answer();
        (await second.WaitAsync(Guard.Time)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_host_is_ejected_for_as_long_as_the_table_says()
    {
        var failing = true;
        _mesh = await MeshTestHost.StartAsync(Pages.Bookinfo());
        _mesh.Apply(Pages.Yaml("failing-hosts.md", "## Outlier detection"));
        _mesh.AddEndpoint("reviews", "v1", _ => new HttpResponseMessage(failing ? HttpStatusCode.InternalServerError : HttpStatusCode.OK));
        _mesh.AddEndpoint("reviews", "v2", _ => new HttpResponseMessage());
        var client = _mesh.CreateClient("http://reviews:9080");
        (await client.GetAsync("/")).Dispose();
        var now = 0;

        foreach (var (ejectedAt, backAt) in ((int, int)[])[(12, 45), (47, 110), (111, 205)])
        {
            failing = true;
            Until(ejectedAt);
            while (await ServesAsync())
            {
            }

            failing = false;
            Until(backAt - 1);
            (await ServesAsync()).ShouldBeFalse($"at {now} s");
            Until(backAt);
            (await ServesAsync()).ShouldBeTrue($"at {now} s");
        }

        void Until(int second)
        {
            // Each sweep has its own instant.
            for (; now < second; now++)
            {
                _mesh.Time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        async Task<bool> ServesAsync()
        {
            _mesh.Decisions.Clear();
            for (var i = 0; i < 20; i++)
            {
                (await client.GetAsync("/")).Dispose();
            }

            return _mesh.Decisions.Any(d => d.Endpoint!.Version == "v1");
        }
    }

    [Fact]
    public async Task Faults_happen_in_the_caller()
    {
        var client = await ApplyAsync("ratings", Pages.Yaml("faults-and-mirrors.md", "## Faults"), random: new EvenRandomSource(1000));

        (await client.GetAsync("/")).Dispose();
        _seen.Clear();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://ratings:9080/") { Headers = { { "end-user", "jason" } } };
        var delayed = client.SendAsync(request);
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(6_999));
        delayed.IsCompleted.ShouldBeFalse();
        _seen.ShouldBeEmpty();
        _mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await delayed.WaitAsync(Guard.Time)).StatusCode.ShouldBe(HttpStatusCode.OK);

        var aborted = 0;
        for (var i = 0; i < 1000; i++)
        {
            using var test = new HttpRequestMessage(HttpMethod.Get, "http://ratings:9080/") { Headers = { { "end-user", "tester" } } };
            using var response = await client.SendAsync(test);
            if (response.StatusCode == HttpStatusCode.InternalServerError)
            {
                aborted++;
                test.Options.TryGetValue(MeshRequest.Attempts, out _).ShouldBeFalse();
                (await response.Content.ReadAsStringAsync()).ShouldBe("fault filter abort");
            }
        }

        aborted.ShouldBeInRange(100, 150);
    }

    [Fact]
    public async Task A_tenth_is_mirrored_to_the_shadow_authority()
    {
        var client = await ApplyAsync("ratings", Pages.Yaml("faults-and-mirrors.md", "## Mirrors"), random: new EvenRandomSource(1000));
        for (var i = 0; i < 1000; i++)
        {
            (await client.GetAsync("/")).Dispose();
        }

        using var patience = new CancellationTokenSource(Guard.Time);
        while (_seen.Count(s => s.Version == "v2") < 70 && !patience.IsCancellationRequested)
        {
            await Task.Yield();
        }

        var copies = _seen.Where(s => s.Version == "v2").ToArray();
        copies.Length.ShouldBeInRange(70, 130);
        copies.ShouldAllBe(c => c.Request.Headers.Host == "ratings-shadow:9080");
        _seen.Count(s => s.Version == "v1").ShouldBe(1000);
    }

    [Fact]
    public async Task A_cookie_is_made_for_who_has_none()
    {
        var client = await ApplyAsync("ratings", Pages.Yaml("load-balancing.md", "## By a key"));
        using var first = await client.GetAsync("/");
        var cookie = first.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldStartWith("session=");
        cookie.ShouldContain("Max-Age=3600");

        var version = _seen.Last().Version;
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Cookie", cookie.Split(';')[0] } } };
            (await client.SendAsync(request)).Dispose();
            _seen.Last().Version.ShouldBe(version);
        }
    }

    [Fact]
    public async Task Near_places_come_first_and_fail_over_in_the_order_of_the_table()
    {
        var client = await PlacesAsync(Pages.Yaml("load-balancing.md", "## Places"));

        foreach (var place in (string[])["eu-west/a/1", "eu-west/a/2", "eu-west/b/1", "eu-north/a/1", "us/a/1"])
        {
            _mesh.Decisions.Clear();
            (await client.GetAsync("/")).Dispose();
            _mesh.Decisions.Last().Endpoint!.Locality.ShouldBe(place);
            await _places[place].DisposeAsync();
            await _mesh.SettledAsync();
        }
    }

    [Fact]
    public async Task Places_get_the_shares_that_a_rule_distributes()
    {
        var page = Pages.Yaml("load-balancing.md", "Or fixed shares:");
        var client = await PlacesAsync(page);
        for (var i = 0; i < 1000; i++)
        {
            (await client.GetAsync("/")).Dispose();
        }

        var shares = _mesh.Decisions.GroupBy(d => d.Endpoint!.Locality[..^2]).ToDictionary(g => g.Key, g => g.Count());
        shares.ContainsKey("us/a").ShouldBeFalse();
        shares["eu-west/a"].ShouldBeInRange(450, 550);
        shares["eu-west/b"].ShouldBeInRange(260, 340);
        shares["eu-north/a"].ShouldBeInRange(160, 240);
    }

    private readonly Dictionary<string, MeshTestEndpoint> _places = [];
    private readonly ConcurrentQueue<TaskCompletionSource<HttpResponseMessage>> _silent = new();
    private volatile string? _silenced;

    private async Task<HttpClient> PlacesAsync(string yaml)
    {
        _mesh = await MeshTestHost.StartAsync(Pages.Bookinfo());
        _mesh.Apply(yaml);
        foreach (var place in (string[])["us/a/1", "eu-north/a/1", "eu-west/b/1", "eu-west/a/2", "eu-west/a/1"])
        {
            _places[place] = _mesh.AddEndpoint(new MeshWorkload("details") { Version = "v1", Locality = place }, new Recorder(this, "details", "v1"));
        }

        return _mesh.CreateClient("http://details:9080", new MeshWorkload("test") { Locality = "eu-west/a/1" });
    }

    private async Task<HttpClient> ApplyAsync(string service, string yaml, string[]? versions = null, IRandomSource? random = null)
    {
        _mesh = await MeshTestHost.StartAsync(Pages.Bookinfo(), options => options.Random = random);
        _mesh.Apply(yaml);
        foreach (var app in (string[])["productpage", "details", "reviews", "ratings"])
        {
            foreach (var version in versions ?? (app == "productpage" ? ["v1"] : ["v1", "v2", "v3"]))
            {
                _mesh.AddEndpoint(app, version, new Recorder(this, app, version));
            }
        }

        return _mesh.CreateClient($"http://{service}:9080");
    }

    private async Task<string> ServedAsync(HttpClient client, string path) => await client.GetStringAsync(path);

    private async Task<string> VersionAsync(HttpClient client, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await client.SendAsync(request);
        return _seen.Last().Version;
    }

    private HttpRequestMessage Last() => _seen.Last().Request;

    // From now on the service takes requests and answers none, until it is told to.
    private void Silence(string app) => _silenced = app;

    private async Task SilentAsync()
    {
        using var patience = new CancellationTokenSource(Guard.Time);
        while (_silent.IsEmpty)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        _silent.TryDequeue(out _current);
    }

    private TaskCompletionSource<HttpResponseMessage>? _current;

    private void Answer() => _current!.SetResult(new HttpResponseMessage());

    private sealed class Recorder(DocumentedBehaviourTests test, string app, string version) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var copy = new HttpRequestMessage(request.Method, request.RequestUri);
            foreach (var (name, values) in request.Headers.NonValidated)
            {
                copy.Headers.TryAddWithoutValidation(name, values);
            }

            test._seen.Enqueue((version, copy));
            if (test._silenced == app)
            {
                var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
                test._silent.Enqueue(answer);
                return await answer.Task.WaitAsync(cancellationToken);
            }

            return new HttpResponseMessage { Content = new StringContent($"{app} {version}") };
        }
    }
}
