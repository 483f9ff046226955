namespace Mesh.EndToEnd.Tests.Faults;

/// <summary>A service that is made slow for those who call it.</summary>
public sealed class DelayLabs
{
    private const string Rating = "http://rating:9080/ratings/0";

    [Fact]
    [Trait("Lab", "C11")]
    public async Task Every_consumer_waits_two_seconds_for_an_answer()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("rating", 9080));
        var rating = await mesh.AddPodAsync("rating");
        HttpClient[] consumers = [.. new[] { "reviews", "productpage", "sleep" }.Select(name => mesh.Caller(new MeshWorkload(name)))];
        foreach (var client in consumers)
        {
            (await client.AskAsync(Rating)).Flags.ShouldBeEmpty();
        }

        await mesh.ApplyAsync(LabYaml.VirtualService("rating", """
            - fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}
              route: [{destination: {host: rating}}]
            """));
        foreach (var client in consumers)
        {
            for (var i = 0; i < 3; i++)
            {
                await DelayedAsync(mesh, rating, client);
            }
        }

        await mesh.DeleteAsync("VirtualService", "rating");
        foreach (var client in consumers)
        {
            (await client.AskAsync(Rating)).Flags.ShouldBeEmpty();
        }
    }

    private static async Task DelayedAsync(PodMesh mesh, Pod rating, HttpClient client)
    {
        var served = rating.Served;
        var idle = mesh.Time.ActiveTimers;
        var answer = client.AskAsync(Rating);
        await mesh.Time.WaitForTimersAsync(idle + 1).OrHang();

        mesh.Time.Advance(TimeSpan.FromMilliseconds(1999));
        mesh.Time.ActiveTimers.ShouldBe(idle + 1, "the delay is not over");
        rating.Served.ShouldBe(served, "it is the request that is held back");

        mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await answer.OrHang()).ShouldSatisfyAllConditions(
            a => a.Status.ShouldBe(200),
            a => a.Body.ShouldBe(rating.Name),
            a => a.Flags.ShouldContain("DI"));
        rating.Served.ShouldBe(served + 1);
    }
}
