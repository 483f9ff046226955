namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>Who asks, or by what, decides which version answers.</summary>
public sealed class HeaderRoutingLabs
{
    private const string Android =
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.110 Mobile Safari/537.36";

    [Theory]
    [InlineData("port: {number: 80}, ")]
    [InlineData("")]
    [Trait("Lab", "P10")]
    public async Task The_header_user_debug_brings_the_city_and_everybody_else_gets_names_only(string port)
    {
        const string Host = "customers.default.svc.cluster.local";
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("web-frontend") + LabYaml.Service("customers") + LabYaml.Subsets(Host, "v1", "v2") + LabYaml.VirtualService(Host, $$"""
                - match:
                  - headers:
                      user:
                        exact: debug
                  route:
                  - destination: {host: {{Host}}, {{port}}subset: v2}
                - route:
                  - destination: {host: {{Host}}, {{port}}subset: v1}
                """));
        await mesh.AddAppAsync("customers", "v1");
        await mesh.AddAppAsync("customers", "v2");
        await mesh.AddAppAsync("web-frontend");
        var curl = mesh.Caller();

        for (var i = 0; i < 20; i++)
        {
            (await ColumnsAsync()).ShouldBe(["<th class=\"px-4 py-2\">NAME</th>"]);
            (await ColumnsAsync(("user", "debug"))).ShouldBe(["<th class=\"px-4 py-2\">CITY</th>", "<th class=\"px-4 py-2\">NAME</th>"]);
        }

        // exact is exact.
        (await ColumnsAsync(("user", "debugger"))).ShouldHaveSingleItem();
        (await ColumnsAsync(("user", "Debug"))).ShouldHaveSingleItem();

        // curl … | grep -E 'CITY|NAME'
        async Task<IEnumerable<string>> ColumnsAsync(params (string Name, string Value)[] headers)
            => (await curl.AskAsync("http://web-frontend/", headers)).Body.Split('\n').Where(line => line.Contains("CITY", StringComparison.Ordinal) || line.Contains("NAME", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Lab", "A3-15")]
    public async Task Quentin_sees_red_stars_and_anonymous_and_alice_see_black_ones()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + Reviews("end-user: {exact: quentin}"));

        (await bookinfo.CountReviewsAsync(20)).ShouldBe(new Dictionary<string, int> { ["v2"] = 20 });
        (await bookinfo.CountReviewsAsync(20, await SignInAsync(bookinfo, "quentin"))).ShouldBe(new Dictionary<string, int> { ["v3"] = 20 });
        (await bookinfo.CountReviewsAsync(20, await SignInAsync(bookinfo, "alice"))).ShouldBe(new Dictionary<string, int> { ["v2"] = 20 });
        (await bookinfo.OpenAsync()).Body.ShouldContain("black stars");
        (await bookinfo.OpenAsync(await SignInAsync(bookinfo, "quentin"))).Body.ShouldContain("red stars");
    }

    [Fact]
    [Trait("Lab", "A3-16")]
    public async Task Mobile_browsers_get_the_third_version_by_a_regex_on_the_user_agent()
    {
        await using var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + Reviews("user-agent: {regex: \".*Mobile.*\"}"));

        (await bookinfo.OpenAsync(("user-agent", "curl/8.5.0"))).Body.ShouldContain("<u>reviews-v2</u>");
        (await bookinfo.OpenAsync(("user-agent", Android))).Body.ShouldContain("<u>reviews-v3</u>");
        (await bookinfo.CountReviewsAsync(20, ("user-agent", Android))).ShouldBe(new Dictionary<string, int> { ["v3"] = 20 });
        (await bookinfo.CountReviewsAsync(20, ("user-agent", Android.Replace("Mobile", "mobile", StringComparison.Ordinal)))).ShouldBe(new Dictionary<string, int> { ["v2"] = 20 });
        (await bookinfo.CountReviewsAsync(20)).ShouldBe(new Dictionary<string, int> { ["v2"] = 20 });
    }

    private static string Reviews(string header) => LabYaml.VirtualService("reviews", $$"""
        - match:
          - headers: { {{header}} }
          route:
          - destination: {host: reviews, subset: v3}
        - route:
          - destination: {host: reviews, subset: v2}
        """);

    private static async Task<(string Name, string Value)> SignInAsync(Bookinfo bookinfo, string user)
    {
        var answer = await bookinfo.Curl.AskAsync(HttpMethod.Post, "http://productpage:9080/login?username=" + user);
        answer.Status.ShouldBe(302);
        return ("Cookie", answer.Headers["set-cookie"].Split(';')[0]);
    }
}
