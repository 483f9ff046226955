using System.Net;
using Mesh.Server.Admin;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Tests.Admin;

/// <summary>Who is answered.</summary>
public sealed class AdminAccessTests
{
    private static readonly AdminAccess Near = new(AnswersRemote: false, IsAuthorized: false, HidesFromStrangers: false, ["admin.example.com"]);

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.9.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("10.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData(null, false)]
    public void Only_this_machine(string? remote, bool isAnswered) => IsAnswered(Near, Request(remote)).ShouldBe(isAnswered);

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("x-forwarded-host", "localhost")]
    [InlineData("X-Forwarded-Proto", "http")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("X-Original-For", "127.0.0.1:80")]
    [InlineData("Via", "1.1 proxy")]
    public void Nobody_for_whom_somebody_else_asks(string header, string value) => IsAnswered(Near, Request("127.0.0.1", headers: [(header, value)])).ShouldBeFalse();

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:15000", true)]
    [InlineData("127.0.0.1:15000", true)]
    [InlineData("[::1]:15000", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("admin.example.com:15000", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("", false)]
    public void Only_by_names_that_are_ours(string host, bool isAnswered) => IsAnswered(Near, Request(host: host)).ShouldBe(isAnswered);

    [Theory]
    [InlineData("same-origin", "cors", "empty", true, true)]
    [InlineData("none", "navigate", "document", true, true)]
    [InlineData("cross-site", "cors", "empty", false, false)]
    [InlineData("same-site", "cors", "empty", false, false)]
    [InlineData("cross-site", "no-cors", "script", false, false)]
    [InlineData("cross-site", "navigate", "iframe", false, false)]
    [InlineData("cross-site", "navigate", "document", true, false)]
    public void Pages_of_other_origins_neither_read_nor_change(string site, string mode, string destination, bool reads, bool changes)
    {
        (string, string)[] headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination)];
        IsAnswered(Near, Request(headers: headers)).ShouldBe(reads);
        IsAnswered(Near, Request(headers: headers), isChange: true).ShouldBe(changes);
    }

    [Theory]
    [InlineData("http://localhost:15000", true)]
    [InlineData("http://evil.example", false)]
    [InlineData("http://localhost", false)]
    [InlineData("null", false)]
    public void An_older_browser_says_its_origin(string origin, bool isAnswered)
        => IsAnswered(Near, Request(host: "localhost:15000", headers: [("Origin", origin)]), isChange: true).ShouldBe(isAnswered);

    [Fact]
    public void An_open_address_is_read_from_everywhere_and_changed_from_here_only()
    {
        var open = Near with { AnswersRemote = true };

        IsAnswered(open, Request("10.0.0.1")).ShouldBeTrue();
        IsAnswered(open, Request("10.0.0.1"), isChange: true).ShouldBeFalse();
        IsAnswered(open, Request("127.0.0.1"), isChange: true).ShouldBeTrue();
        IsAnswered(open, Request("127.0.0.1", headers: [("X-Forwarded-For", "10.0.0.1")]), isChange: true).ShouldBeFalse();
        IsAnswered(open, Request("10.0.0.1", host: "evil.example")).ShouldBeFalse();
    }

    [Fact]
    public void Whom_the_application_has_authorized_may_come_from_anywhere_but_not_by_a_page_of_another_origin()
    {
        var authorized = Near with { IsAuthorized = true };

        IsAnswered(authorized, Request("10.0.0.1", host: "shop.example.com", headers: [("X-Forwarded-For", "1.2.3.4")]), isChange: true).ShouldBeTrue();
        IsAnswered(authorized, Request("10.0.0.1", headers: [("Sec-Fetch-Site", "cross-site")]), isChange: true).ShouldBeFalse();
    }

    [Fact]
    public void A_stranger_at_the_applications_own_port_is_not_even_told_that_there_is_an_admin()
        => (Near with { HidesFromStrangers = true }).Refuse(Request("10.0.0.1"), isChange: false).ShouldNotBeNull().ShouldSatisfyAllConditions(
            r => r.Status.ShouldBe(StatusCodes.Status404NotFound),
            r => r.IsTold.ShouldBeFalse());

    private static bool IsAnswered(AdminAccess access, HttpContext context, bool isChange = false) => access.Refuse(context, isChange) is null;

    private static DefaultHttpContext Request(string? remote = "127.0.0.1", string host = "localhost", params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Request.Scheme = "http";
        context.Request.Host = new HostString(host);
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }
}
