using System.Text.Json;

namespace Mesh.EndToEnd.Tests.Applications;

/// <summary>The application of the helloworld labs, byte by byte.</summary>
public sealed class MyAppTests
{
    [Fact]
    public async Task Answers_what_the_labs_print()
    {
        await using var mesh = await HelloWorld.StartAsync();
        await mesh.ApplyAsync(LabYaml.Split("myapp", ("v2", 100)) + LabYaml.Split("be", ("v1", 100)));
        var curl = mesh.Caller();

        (await AskAsync("/")).ShouldBe((200, "Hello from Express!", "text/html; charset=utf-8"));
        (await AskAsync("/version")).ShouldBe((200, "2", "text/html; charset=utf-8"));
        (await AskAsync("/backend")).ShouldBe((200, "pod: [myapp-v2-7f4d]    node: [node-1]", "text/html; charset=utf-8"));
        (await AskAsync("/hostz")).ShouldBe((
            200,
            """[{"url":"http://be.default.svc.cluster.local:8080/backend","body":"pod: [be-v1-7f4d]    node: [node-1]","statusCode":200}]""",
            "application/json; charset=utf-8"));

        // Headers by their names in lower case, the mesh's among them; the environment of the process by its names.
        using var headers = JsonDocument.Parse((await curl.AskAsync(Uri("/headerz"), ("End-User", "jason"))).Body);
        headers.RootElement.GetProperty("end-user").GetString().ShouldBe("jason");
        headers.RootElement.GetProperty("host").GetString().ShouldBe("myapp.default.svc.cluster.local:8080");
        using var environment = JsonDocument.Parse((await AskAsync("/varz")).Body);
        environment.RootElement.GetProperty("PATH").GetString().ShouldBe(Environment.GetEnvironmentVariable("PATH"));

        async Task<(int Status, string Body, string Type)> AskAsync(string path)
        {
            var answer = await curl.AskAsync(Uri(path));
            return (answer.Status, answer.Body, answer.Headers["content-type"]);
        }

        static string Uri(string path) => "http://myapp.default.svc.cluster.local:8080" + path;
    }

    [Fact]
    public async Task Prints_an_answer_of_the_mesh_like_any_other()
    {
        await using var mesh = await PodMesh.StartAsync(HelloWorld.Services);
        await mesh.AddAppAsync("myapp", "v1", HelloWorld.Settings("myapp", "v1"));

        (await mesh.Caller().AskAsync(HelloWorld.Hostz)).Body.ShouldBe(
            """[{"url":"http://be.default.svc.cluster.local:8080/backend","body":"no healthy upstream","statusCode":503}]""");
    }
}
