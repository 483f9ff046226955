using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Mirroring;

/// <summary>A dark launch: a version that gets copies of requests, and whose answers nobody sees.</summary>
public sealed class MirrorLabs
{
    private const int Pages = 20;

    private const string Mirrored = """
        apiVersion: networking.istio.io/v1alpha3
        kind: VirtualService
        metadata:
          name: reviews
        spec:
          hosts: [reviews]
          http:
          - route: [{destination: {host: reviews, subset: v2}}]
            mirror: {host: reviews, subset: v3}
        """;

    [Fact]
    [Trait("Lab", "A3-17")]
    public async Task Everybody_sees_the_second_version_the_third_gets_each_request_too_and_ratings_are_asked_twice()
    {
        await using var bookinfo = await StartAsync();
        var (v1, v2, v3, ratings) = Served(bookinfo);
        for (var i = 0; i < Pages; i++)
        {
            var page = await bookinfo.OpenAsync();
            page.Body.ShouldContain("<u>reviews-v2</u>");
            page.Body.ShouldContain("black");
            await bookinfo.Reviews[2].Arrived.WaitAsync().OrHang();
            await bookinfo.Ratings.Arrived.WaitAsync().OrHang();
            await bookinfo.Ratings.Arrived.WaitAsync().OrHang();
        }

        Served(bookinfo).ShouldBe((v1, v2 + Pages, v3 + Pages, ratings + (2 * Pages)));
    }

    [Fact]
    [Trait("Lab", "A3-17")]
    public async Task What_the_mirror_answers_and_whether_it_answers_is_nothing_to_the_page()
    {
        await using var bookinfo = await StartAsync();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        bookinfo.Reviews[2].Answer(context =>
        {
            host.SetResult(context.Request.Host.Value!);
            return held.Task;
        });
        (await bookinfo.OpenAsync()).Body.ShouldContain("<u>reviews-v2</u>");
        (await host.Task.OrHang()).ShouldBe("reviews-shadow:9080");
        held.SetResult();

        bookinfo.Reviews[2].Answer(StatusCodes.Status500InternalServerError);
        (await bookinfo.CountReviewsAsync(Pages)).ShouldBe(new Dictionary<string, int> { ["v2"] = Pages });

        await bookinfo.Reviews[2].StopAsync();
        (await bookinfo.CountReviewsAsync(Pages)).ShouldBe(new Dictionary<string, int> { ["v2"] = Pages });
    }

    private static async Task<Bookinfo> StartAsync()
    {
        var bookinfo = await Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + Mirrored);

        // What came before the mirror does not count.
        foreach (var pod in bookinfo.Reviews.Append(bookinfo.Ratings))
        {
            while (await pod.Arrived.WaitAsync(TimeSpan.Zero))
            {
            }
        }

        return bookinfo;
    }

    private static (int V1, int V2, int V3, int Ratings) Served(Bookinfo bookinfo)
        => (bookinfo.Reviews[0].Served, bookinfo.Reviews[1].Served, bookinfo.Reviews[2].Served, bookinfo.Ratings.Served);
}
