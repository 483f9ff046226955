namespace Mesh.EndToEnd.Tests.Applications;

/// <summary>Customers, and the page that shows them.</summary>
public sealed class WebFrontendTests
{
    private const string Customers = "http://customers.default.svc.cluster.local";
    private const string Frontend = "http://web-frontend.default.svc.cluster.local";

    private static string Services => LabYaml.Service("web-frontend") + LabYaml.Service("customers") + LabYaml.Subsets("customers", "v1", "v2");

    [Fact]
    public async Task Shows_a_column_for_all_that_customers_says()
    {
        await using var mesh = await PodMesh.StartAsync(Services + LabYaml.Split("customers", ("v1", 100)));
        await mesh.AddAppAsync("customers", "v1");
        await mesh.AddAppAsync("customers", "v2");
        await mesh.AddAppAsync("web-frontend");
        var curl = mesh.Caller();

        (await curl.AskAsync(Customers)).Body.ShouldBe(
            """[{"name":"Jewel Schaefer"},{"name":"Raleigh Larson"},{"name":"Eloise Senger"},{"name":"Moshe Zieme"},{"name":"Filiberto Lubowitz"},{"name":"Ms.Kadin Kling"},{"name":"Jennyfer Bergstrom"},{"name":"Candelario Rutherford"},{"name":"Kenyatta Flatley"},{"name":"Gianni Pouros"}]""");
        (await curl.AskAsync(Frontend)).Body.Split('\n').Where(line => line.StartsWith("<th ", StringComparison.Ordinal)).ShouldBe(["<th class=\"px-4 py-2\">NAME</th>"]);

        await mesh.ApplyAsync(LabYaml.Split("customers", ("v2", 100)));
        var page = (await curl.AskAsync(Frontend)).Body.Split('\n');
        page.Where(line => line.StartsWith("<th ", StringComparison.Ordinal)).ShouldBe(["<th class=\"px-4 py-2\">CITY</th>", "<th class=\"px-4 py-2\">NAME</th>"]);
        page.ShouldContain("<td class=\"border px-4 py-2\">Gianni Pouros</td>");
    }

    [Fact]
    public async Task Shows_what_went_wrong_in_the_words_of_its_client()
    {
        await using var mesh = await PodMesh.StartAsync(Services);
        await mesh.AddPodAsync("customers", "v1", context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        await mesh.AddAppAsync("web-frontend");

        var answer = await mesh.Caller().AskAsync(Frontend);
        (answer.Status, answer.Body).ShouldBe((500, "\"Request failed with status code 403\""));
    }

    [Fact]
    public async Task Hello_world_says_hello_world()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("hello-world"));
        await mesh.AddAppAsync("hello-world");

        var answer = await mesh.Caller().AskAsync("http://hello-world.default.svc.cluster.local/");
        (answer.Status, answer.Body, answer.Headers["content-type"], answer.Headers["content-length"]).ShouldBe((200, "Hello World", "text/plain; charset=utf-8", "11"));
    }
}
