using System.Net;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.StatefulSession.V3;
using Envoy.Extensions.Http.StatefulSession.Cookie.V3;
using Envoy.Extensions.Http.StatefulSession.Header.V3;
using Envoy.Type.Http.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using Shouldly;
using Xunit;
using Cookie = Envoy.Type.Http.V3.Cookie;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class StatefulSessionTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.stateful_session";

    private readonly FilterMesh _mesh = new FilterMesh().AddCluster("v1", 1, 2, 3);

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task A_session_in_a_header_stays_with_its_endpoint()
    {
        Listen(HeaderState());
        var first = await _mesh.GetAsync();
        var session = first.Header("x-session")!;
        Encoding.UTF8.GetString(Convert.FromBase64String(session)).ShouldBe(_mesh.Received[0].Address + ":80");

        for (var i = 0; i < 6; i++)
        {
            (await _mesh.GetAsync("/", ("x-session", session))).Header("x-session").ShouldBeNull();
        }

        _mesh.Received.Select(r => r.Address).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_session_in_a_cookie_stays_with_its_endpoint_as_long_as_it_lives()
    {
        Listen(CookieState(TimeSpan.FromSeconds(120), path: "/cart"));
        var first = await _mesh.GetAsync("/cart");
        var cookie = first.Header("set-cookie")!;
        cookie.ShouldStartWith("sticky=\"");
        cookie.ShouldEndWith("\"; Max-Age=120; Path=/cart; SameSite=Strict; HttpOnly");
        var pair = cookie[..cookie.IndexOf(';')];

        for (var i = 0; i < 6; i++)
        {
            (await _mesh.GetAsync("/cart/items", ("cookie", "other=1; " + pair))).Header("set-cookie").ShouldBeNull();
        }

        _mesh.Received.Select(r => r.Address).Distinct().ShouldHaveSingleItem();

        // Requests of other paths have no session.
        (await _mesh.GetAsync("/cartoon")).Header("set-cookie").ShouldBeNull();

        _mesh.Time.Advance(TimeSpan.FromSeconds(121));
        (await _mesh.GetAsync("/cart", ("cookie", pair))).Header("set-cookie").ShouldNotBeNull();
    }

    [Fact]
    public async Task The_cookies_value_is_the_message_that_Envoy_reads()
    {
        Listen(CookieState(TimeSpan.Zero));

        var cookie = (await _mesh.GetAsync()).Header("set-cookie")!;

        var value = Convert.FromBase64String(cookie["sticky=\"".Length..cookie.IndexOf("\";", StringComparison.Ordinal)]);
        var address = Encoding.ASCII.GetBytes(_mesh.Received[0].Address + ":80");
        value.ShouldBe([0x0a, (byte)address.Length, .. address]);
        cookie.ShouldNotContain("Max-Age");
    }

    [Fact]
    public async Task An_older_cookie_with_the_address_alone_is_understood()
    {
        Listen(CookieState(TimeSpan.Zero));
        var pair = "sticky=" + Convert.ToBase64String(Encoding.ASCII.GetBytes("10.0.0.3:80"));

        for (var i = 0; i < 4; i++)
        {
            await _mesh.GetAsync("/", ("cookie", pair));
        }

        _mesh.Received.ShouldAllBe(r => r.Address == "10.0.0.3");
    }

    [Theory]
    [InlineData("!!!")]
    [InlineData("")]
    [InlineData("MTAuOS45Ljk6ODA=")]
    public async Task A_session_that_leads_nowhere_begins_anew(string session)
    {
        Listen(HeaderState());

        var response = await _mesh.GetAsync("/", ("x-session", session));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Encoding.UTF8.GetString(Convert.FromBase64String(response.Header("x-session")!)).ShouldBe(_mesh.Received[0].Address + ":80");
    }

    [Theory]
    [InlineData(0u, 503)]
    [InlineData(421u, 421)]
    public async Task A_strict_session_fails_with_its_endpoint(uint status, int expected)
    {
        var filter = HeaderState();
        (filter.Strict, filter.StatusOnStrictDestinationNotFound) = (true, status);
        Listen(filter);

        var response = await _mesh.GetAsync("/", ("x-session", Convert.ToBase64String(Encoding.ASCII.GetBytes("10.9.9.9:80"))));

        ((int)response.StatusCode).ShouldBe(expected);
        response.Flags().ShouldBe("UH");
        response.Header("x-session").ShouldBeNull();
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_route_has_its_own_session_or_none()
    {
        var off = Resources.Prefix("/off", "v1");
        off.TypedPerFilterConfig.Add(Name, Any.Pack(new StatefulSessionPerRoute { Disabled = true }));
        var own = Resources.Prefix("/own", "v1");
        own.TypedPerFilterConfig.Add(Name, Any.Pack(new StatefulSessionPerRoute { StatefulSession = CookieState(TimeSpan.Zero) }));
        Listen(HeaderState());
        _mesh.Route(off, own, Resources.Prefix("/", "v1"));

        (await _mesh.GetAsync("/off")).Header("x-session").ShouldBeNull();
        var response = await _mesh.GetAsync("/own");
        response.Header("x-session").ShouldBeNull();
        response.Header("set-cookie").ShouldNotBeNull();
        (await _mesh.GetAsync()).Header("x-session").ShouldNotBeNull();
    }

    [Fact]
    public void A_kind_of_session_that_is_not_known_is_refused()
    {
        var filter = new StatefulSession { SessionState = new TypedExtensionConfig { Name = "s", TypedConfig = Any.Pack(new Duration()) } };

        Should.Throw<ResourceRejectedException>(() => Listen(filter)).Field.ShouldEndWith("http_filters[0].typed_config.session_state.typed_config");
    }

    private static StatefulSession HeaderState() => State(new HeaderBasedSessionState { Name = "x-session" });

    private static StatefulSession CookieState(TimeSpan lifetime, string path = "")
    {
        var cookie = new Cookie { Name = "sticky", Path = path, Ttl = Duration.FromTimeSpan(lifetime) };
        cookie.Attributes.Add(new CookieAttribute { Name = "SameSite", Value = "Strict" });
        return State(new CookieBasedSessionState { Cookie = cookie });
    }

    private static StatefulSession State(IMessage state)
        => new() { SessionState = new TypedExtensionConfig { Name = "envoy.http.stateful_session", TypedConfig = Any.Pack(state) } };

    private void Listen(StatefulSession filter) => _mesh.Listen(FilterMesh.Filter(Name, filter));
}
