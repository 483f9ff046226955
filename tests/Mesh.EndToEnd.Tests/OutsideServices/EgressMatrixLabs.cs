using Xunit.Abstractions;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>
/// Seven URLs in four states of the rules, row by row, under <c>REGISTRY_ONLY</c>. What differs from the labs' Istio 1.1 is told in
/// docs/traffic/outside-services.md.
/// </summary>
public sealed class EgressMatrixLabs(ITestOutputHelper output)
{
    public static TheoryData<string> States => [.. EgressState.All.Select(state => state.Name)];

    [Theory]
    [MemberData(nameof(States))]
    [Trait("Lab", "L000-14")]
    [Trait("Lab", "L000-15")]
    [Trait("Lab", "L000-16")]
    [Trait("Lab", "L000-17")]
    public async Task Seven_URLs_are_fetched_or_refused_as_the_rules_say(string name)
    {
        var state = EgressState.All.Single(state => state.Name == name);
        await using var world = await EgressWorld.StartAsync();
        await world.Mesh.ApplyAsync(state.Documents);

        Check(state, await world.FetchAsync());
    }

    [Fact]
    [Trait("Lab", "L000-15")]
    public async Task The_rules_change_four_times_under_one_application_and_back()
    {
        await using var world = await EgressWorld.StartAsync();
        foreach (var state in EgressState.All)
        {
            await world.Mesh.ApplyAsync(state.Documents);
            Check(state, await world.FetchAsync());
            foreach (var (kind, document) in Documents(state))
            {
                await world.Mesh.DeleteAsync(kind, document);
            }
        }

        Check(EgressState.All[0], await world.FetchAsync());
    }

    [Fact]
    [Trait("Lab", "L000-14")]
    public async Task Without_rules_nothing_leaves_and_who_is_refused_is_told_of_the_host_and_the_way_out()
    {
        await using var world = await EgressWorld.StartAsync();

        foreach (var refused in (await world.FetchAsync()).Where(fetched => fetched.Status is null))
        {
            refused.Error.ShouldNotBeNull().ShouldContain(new Uri(refused.Url).Authority + ":443");
            refused.Error.ShouldContain("ServiceEntry");
        }

        world.Net.Dns.Seen.ShouldBeEmpty("a name that is refused is not even asked for");
        EgressState.All[0].Outcomes.Select(outcome => new Uri(outcome.Url).Host).Distinct().ShouldAllBe(site => world.Site(site).Connections == 0);
    }

    [Fact]
    [Trait("Lab", "L000-16")]
    public async Task What_goes_by_the_egress_gateway_is_the_callers_own_TLS_to_the_site()
    {
        await using var world = await EgressWorld.StartAsync();
        await world.Mesh.ApplyAsync(EgressState.All.Single(state => state.Name == "egress gateway").Documents);

        var answer = await world.Mesh.Caller().AskAsync("https://www.yahoo.com/robots.txt");

        (answer.Status, answer.Body).ShouldBe((200, "www.yahoo.com /robots.txt"));
        world.Gateway.Connections.ShouldBe(1);
        var seen = world.Site("www.yahoo.com").Seen.ShouldHaveSingleItem();
        (seen.Scheme, seen.Host, seen.ServerName).ShouldBe(("https", "www.yahoo.com", "www.yahoo.com"));
    }

    [Fact]
    [Trait("Lab", "L000-17")]
    public async Task Requests_in_clear_text_leave_over_TLS_by_either_port()
    {
        await using var world = await EgressWorld.StartAsync();
        await world.Mesh.ApplyAsync(EgressState.All.Single(state => state.Name == "TLS origination").Documents);
        var curl = world.Mesh.Caller();

        foreach (var uri in new[] { "http://www.yahoo.com:443/robots.txt", "http://www.yahoo.com/robots.txt", "https://www.yahoo.com/robots.txt" })
        {
            (await curl.AskAsync(uri)).Body.ShouldBe("www.yahoo.com /robots.txt", uri);
        }

        var site = world.Site("www.yahoo.com");
        site.Seen.Select(seen => (seen.Scheme, seen.Target, seen.ServerName)).ShouldBe(Enumerable.Repeat(("https", "/robots.txt", (string?)"www.yahoo.com"), 3));
    }

    private static IEnumerable<(string Kind, string Name)> Documents(EgressState state)
        => from document in state.Documents.Split("---\n")
           let lines = document.Split('\n')
           where lines.Length > 3
           select (lines[1]["kind: ".Length..], lines[2]["metadata: {name: ".Length..].TrimEnd('}'));

    // As the lab prints it, side by side with what the lab printed.
    private void Check(EgressState state, IReadOnlyList<FetchedUrl> fetched)
    {
        output.WriteLine($"{state.Name,-38} | {"Istio 1.1",-21} | here");
        foreach (var ((url, lab, _), line) in state.Outcomes.Zip(fetched))
        {
            output.WriteLine($"{url,-38} | {lab,-21} | {Outcome(line)}");
        }

        fetched.Select(line => (line.Url, Outcome(line))).ShouldBe(state.Outcomes.Select(outcome => (outcome.Url, outcome.Here)), state.Name);

        // What is answered is the site's, what is refused is empty.
        foreach (var line in fetched.Where(line => line.Status is 200 or 502))
        {
            var uri = new Uri(line.Url);
            line.Body.ShouldBe(line.Status == 200 ? $"{uri.Host} {uri.AbsolutePath}" : "");
        }

        static string Outcome(FetchedUrl line) => line.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "HttpRequestException";
    }
}
