namespace Mesh.EndToEnd.Tests.Applications;

/// <summary>The paths of httpbin that labs use.</summary>
public sealed class HttpbinTests
{
    [Fact]
    public async Task Says_what_it_was_asked()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("httpbin", 8000));
        var address = await mesh.AddAppAsync("httpbin");
        using var curl = new HttpClient { BaseAddress = address };

        (await curl.AskAsync("/get?b=2&a=1", ("user-agent", "curl/8.5.0"), ("x-request-id", "1"))).Body.ShouldBe($$"""
            {
              "args": {
                "a": "1",
                "b": "2"
              },
              "headers": {
                "Host": "{{address.Authority}}",
                "User-Agent": "curl/8.5.0",
                "X-Request-Id": "1"
              },
              "origin": "127.0.0.1",
              "url": "{{address}}get?b=2&a=1"
            }

            """.ReplaceLineEndings("\n"));
        (await curl.AskAsync("/headers", ("end-user", "jason"))).Body.ShouldBe($$"""
            {
              "headers": {
                "End-User": "jason",
                "Host": "{{address.Authority}}"
              }
            }

            """.ReplaceLineEndings("\n"));
        (await curl.AskAsync("/ip", ("x-forwarded-for", "10.0.0.1"))).Body.ShouldBe("{\n  \"origin\": \"10.0.0.1\"\n}\n");
        (await curl.AskAsync("/user-agent", ("user-agent", "curl/8.5.0"))).Body.ShouldBe("{\n  \"user-agent\": \"curl/8.5.0\"\n}\n");
        using var posted = await curl.PostAsync("/post", new StringContent("hello")).OrHang();
        (await posted.Content.ReadAsStringAsync().OrHang()).ShouldContain("\"data\": \"hello\"");
        (await curl.AskAsync(HttpMethod.Delete, "/anything/at/all")).Body.ShouldContain("\"method\": \"DELETE\"");
        (await curl.AskAsync(HttpMethod.Post, "/get")).Status.ShouldBe(405);
    }

    [Fact]
    public async Task Fails_and_waits_as_told()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("httpbin", 8000));
        await mesh.AddAppAsync("httpbin");
        var curl = mesh.Caller();

        (await curl.AskAsync("http://httpbin:8000/status/418")).Status.ShouldBe(418);
        (await curl.AskAsync("http://httpbin:8000/status/200,nonsense")).Status.ShouldBe(400);
        var codes = await curl.CountAsync("http://httpbin:8000/status/500:0.5,404:0.5", 400);
        codes.Keys.ShouldBe(["404", "500"], ignoreOrder: true);
        codes["500"].ShouldBeInRange(150, 250, "five standard deviations: 5 × √(400 × ½ × ½) = 50");

        var asking = curl.AskAsync("http://httpbin:8000/delay/2");
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).OrHang();
        mesh.Time.Advance(TimeSpan.FromSeconds(2));
        (await asking).Status.ShouldBe(200);
    }
}
