using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.HeaderMutation.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Shouldly;
using Xunit;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;
using KeyValuePair = Envoy.Config.Core.V3.KeyValuePair;
using Mutation = Envoy.Config.Common.MutationRules.V3.HeaderMutation;
using ParameterAction = Envoy.Config.Core.V3.KeyValueAppend.Types.KeyValueAppendAction;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class HeaderMutationTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.header_mutation";

    private readonly FilterMesh _mesh = new();

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Theory]
    [InlineData((int)AppendAction.AppendIfExistsOrAdd, "old", "old, new")]
    [InlineData((int)AppendAction.AppendIfExistsOrAdd, null, "new")]
    [InlineData((int)AppendAction.AddIfAbsent, "old", "old")]
    [InlineData((int)AppendAction.AddIfAbsent, null, "new")]
    [InlineData((int)AppendAction.OverwriteIfExistsOrAdd, "old", "new")]
    [InlineData((int)AppendAction.OverwriteIfExistsOrAdd, null, "new")]
    [InlineData((int)AppendAction.OverwriteIfExists, "old", "new")]
    [InlineData((int)AppendAction.OverwriteIfExists, null, null)]
    public async Task Append_actions_do_what_they_say(int action, string? before, string? after)
    {
        Request(Append("x-h", "new", (AppendAction)action));

        await (before is null ? _mesh.GetAsync() : _mesh.GetAsync("/", ("x-h", before)));

        _mesh.Received.ShouldHaveSingleItem().Headers.GetValueOrDefault("x-h").ShouldBe(after);
    }

    [Theory]
    [InlineData(false, "old")]
    [InlineData(true, "")]
    public async Task An_empty_value_is_set_only_where_it_is_to_be_kept(bool keep, string after)
    {
        var mutation = Append("x-h", "", AppendAction.OverwriteIfExistsOrAdd);
        mutation.Append.KeepEmptyValue = keep;
        Request(mutation);

        await _mesh.GetAsync("/", ("x-h", "old"));

        _mesh.Received.ShouldHaveSingleItem().Headers["x-h"].ShouldBe(after);
    }

    [Fact]
    public async Task Headers_are_removed_by_name_and_by_match()
    {
        Request(
            new Mutation { Remove = "x-gone" },
            new Mutation { RemoveOnMatch = new Mutation.Types.RemoveOnMatch { KeyMatcher = new StringMatcher { Prefix = "x-internal-" } } });

        await _mesh.GetAsync("/", ("X-Gone", "1"), ("X-Internal-A", "1"), ("x-internal-b", "1"), ("x-stays", "1"));

        _mesh.Received.ShouldHaveSingleItem().Headers.Keys.Select(name => name.ToLowerInvariant()).ShouldBe(["x-stays", "x-request-id"], ignoreOrder: true);
    }

    [Fact]
    public async Task Headers_of_the_body_are_changed_on_both_sides()
    {
        Listen(new Mutations
        {
            RequestMutations = { Append("content-type", "text/x-a", AppendAction.OverwriteIfExistsOrAdd), Append("content-language", "de", AppendAction.AddIfAbsent) },
            ResponseMutations =
            {
                Append("content-type", "text/x-b", AppendAction.OverwriteIfExistsOrAdd),
                Append("expires", "0", AppendAction.AddIfAbsent),
                Append("allow", "GET", AppendAction.AddIfAbsent),
                Append("x-plain", "1", AppendAction.AddIfAbsent),
                new Mutation { Remove = "content-language" },
            },
        });
        _mesh.Respond = _ =>
        {
            var content = new StringContent("x");
            content.Headers.ContentLanguage.Add("fr");
            return new HttpResponseMessage { Content = content };
        };

        var response = await _mesh.Client.PostAsync("/", new StringContent("x"));

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Headers["content-type"].ShouldBe("text/x-a");
        received.Headers["content-language"].ShouldBe("de");
        response.Header("content-type").ShouldBe("text/x-b");
        response.Header("expires").ShouldBe("0");
        response.Header("allow").ShouldBe("GET");
        response.Header("x-plain").ShouldBe("1");
        response.Header("content-language").ShouldBeNull();
    }

    [Fact]
    public async Task The_request_line_and_the_status_are_changed_like_headers()
    {
        Listen(new Mutations
        {
            RequestMutations =
            {
                Append(":path", "/other?x=1", AppendAction.OverwriteIfExistsOrAdd),
                Append(":method", "POST", AppendAction.OverwriteIfExistsOrAdd),
                Append("host", "other.example", AppendAction.OverwriteIfExistsOrAdd),
            },
            ResponseMutations = { Append(":status", "418", AppendAction.OverwriteIfExistsOrAdd) },
        });

        var response = await _mesh.GetAsync("/path");

        var received = _mesh.Received.ShouldHaveSingleItem();
        (received.Method, received.Path, received.Headers["host"]).ShouldBe(("POST", "/other?x=1", "other.example"));
        ((int)response.StatusCode).ShouldBe(418);
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/path");
    }

    [Theory]
    [InlineData(false, "route, host, configuration", "configuration")]
    [InlineData(true, "configuration, host, route", "route")]
    public async Task Levels_add_up_in_the_configured_order(bool mostSpecificWins, string appended, string overwritten)
    {
        var routes = Resources.Routes("routes", Resources.Prefix("/", "v1"));
        routes.TypedPerFilterConfig.Add(Name, Level("configuration"));
        routes.VirtualHosts[0].TypedPerFilterConfig.Add(Name, Level("host"));
        routes.VirtualHosts[0].Routes[0].TypedPerFilterConfig.Add(Name, Level("route"));
        _mesh.Listen(FilterMesh.Filter(Name, new HeaderMutation { MostSpecificHeaderMutationsWins = mostSpecificWins })).Route(routes);

        var response = await _mesh.GetAsync();

        var received = _mesh.Received.ShouldHaveSingleItem();
        received.Headers["x-all"].ShouldBe(appended);
        received.Headers["x-last"].ShouldBe(overwritten);
        response.Header("x-all").ShouldBe(appended);

        static Any Level(string mark) => Any.Pack(new HeaderMutationPerRoute
        {
            Mutations = new Mutations
            {
                RequestMutations = { Append("x-all", mark, AppendAction.AppendIfExistsOrAdd), Append("x-last", mark, AppendAction.OverwriteIfExistsOrAdd) },
                ResponseMutations = { Append("x-all", mark, AppendAction.AppendIfExistsOrAdd) },
            },
        });
    }

    [Theory]
    [InlineData((int)ParameterAction.AppendIfExistsOrAdd, "/p?a=1", "/p?a=1&a=2")]
    [InlineData((int)ParameterAction.AddIfAbsent, "/p?a=1", "/p?a=1")]
    [InlineData((int)ParameterAction.AddIfAbsent, "/p", "/p?a=2")]
    [InlineData((int)ParameterAction.OverwriteIfExistsOrAdd, "/p?a=1&b=3&a=4", "/p?a=2&b=3")]
    [InlineData((int)ParameterAction.OverwriteIfExists, "/p?b=3", "/p?b=3")]
    public async Task Parameters_of_the_query_are_changed(int action, string before, string after)
    {
        Listen(new Mutations
        {
            QueryParameterMutations =
            {
                new KeyValueMutation { Append = new KeyValueAppend { Record = new KeyValuePair { Key = "a", Value = Value.ForString("2") }, Action = (ParameterAction)action } },
                new KeyValueMutation { Remove = "gone" },
            },
        });

        await _mesh.GetAsync(before + (before.Contains('?') ? "&gone=1" : "?gone=1"));

        _mesh.Received.ShouldHaveSingleItem().Path.ShouldBe(after);
    }

    [Fact]
    public async Task What_a_parameter_gets_cannot_become_another_one()
    {
        Listen(new Mutations
        {
            QueryParameterMutations =
            {
                new KeyValueMutation { Append = new KeyValueAppend { Record = new KeyValuePair { Key = "a", Value = Value.ForString("1&admin=1 #") } } },
            },
        });

        await _mesh.GetAsync("/p");

        _mesh.Received.ShouldHaveSingleItem().Path.ShouldBe("/p?a=1%26admin%3D1%20%23");
    }

    [Fact]
    public async Task Replies_of_the_mesh_are_changed_as_well()
    {
        Listen(new Mutations { ResponseMutations = { Append("x-served-by", "mesh", AppendAction.AddIfAbsent) } });
        _mesh.Route(new Route { Match = new RouteMatch { Prefix = "/" }, DirectResponse = new DirectResponseAction { Status = 204 } });

        (await _mesh.GetAsync()).Header("x-served-by").ShouldBe("mesh");
    }

    [Fact]
    public async Task Values_are_substituted_on_both_sides()
    {
        Listen(new Mutations
        {
            RequestMutations = { Append("x-was", "%REQ(:METHOD)% %REQ(X-USER?:PATH)%", AppendAction.OverwriteIfExistsOrAdd) },
            ResponseMutations = { Append("x-from", "%RESPONSE_CODE% %UPSTREAM_CLUSTER% %RESP(X-SERVER)% 100%%", AppendAction.OverwriteIfExistsOrAdd) },
        });
        _mesh.Respond = _ =>
        {
            var response = new HttpResponseMessage { Content = new StringContent("x") };
            response.Headers.Add("x-server", "s1");
            return response;
        };

        var response = await _mesh.GetAsync("/path");

        _mesh.Received.ShouldHaveSingleItem().Headers["x-was"].ShouldBe("GET /path");
        response.Header("x-from").ShouldBe("200 v1 s1 100%");
    }

    [Theory]
    [InlineData("content-length")]
    [InlineData("Transfer-Encoding")]
    public void What_frames_the_body_is_not_set(string name)
        => Should.Throw<ResourceRejectedException>(() => Request(Append(name, "1", AppendAction.AddIfAbsent))).Field
            .ShouldEndWith("request_mutations[0].append.header.key");

    [Theory]
    [InlineData(":path")]
    [InlineData("Host")]
    public void What_a_message_cannot_be_without_is_not_removed(string name)
        => Should.Throw<ResourceRejectedException>(() => Request(new Mutation { Remove = name })).Field
            .ShouldEndWith("http_filters[0].typed_config.mutations.request_mutations[0].remove");

    [Theory]
    [InlineData("x h", "v")]
    [InlineData("x-h", "v\r\nx-evil: 1")]
    public void Names_and_values_that_would_smuggle_are_refused(string name, string value)
        => Should.Throw<ResourceRejectedException>(() => Request(Append(name, value, AppendAction.AddIfAbsent))).Field
            .ShouldContain("request_mutations[0].append.header");

    private static Mutation Append(string name, string value, AppendAction action)
        => new() { Append = new HeaderValueOption { Header = new HeaderValue { Key = name, Value = value }, AppendAction = action } };

    private void Request(params Mutation[] mutations) => Listen(new Mutations { RequestMutations = { mutations } });

    private void Listen(Mutations mutations) => _mesh.Listen(FilterMesh.Filter(Name, new HeaderMutation { Mutations = mutations }));
}
