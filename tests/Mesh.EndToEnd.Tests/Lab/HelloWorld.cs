using System.Text.Json;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>The application of the labs in four pods: a frontend <c>myapp</c> and its backend <c>be</c>, two versions of each.</summary>
internal static class HelloWorld
{
    public const string Backend = "http://be.default.svc.cluster.local:8080/backend";
    public const string Version = "http://myapp.default.svc.cluster.local:8080/version";
    public const string Hostz = "http://myapp.default.svc.cluster.local:8080/hostz";

    public static async Task<PodMesh> StartAsync(IRandomSource? random = null)
    {
        var mesh = await PodMesh.StartAsync(Services, random);
        foreach (var version in new[] { "v1", "v2" })
        {
            await mesh.AddAppAsync("be", version, Settings("be", version));
            await mesh.AddAppAsync("myapp", version, Settings("myapp", version));
        }

        return mesh;
    }

    /// <summary>The services of both, and their subsets.</summary>
    public static string Services
        => LabYaml.Service("myapp", 8080) + LabYaml.Service("be", 8080) + LabYaml.Subsets("myapp", "v1", "v2") + LabYaml.Subsets("be", "v1", "v2");

    /// <summary>What a pod's environment says.</summary>
    public static string[] Settings(string app, string version) => ["--VER", version[1..], "--MY_POD_NAME", $"{app}-{version}-7f4d", "--MY_NODE_NAME", "node-1"];

    /// <summary>The workload that a frontend is.</summary>
    public static MeshWorkload Frontend(string version) => new("myapp") { Version = version };

    /// <summary>The rule of the backend that applies to the frontends of a version, and to nobody else.</summary>
    public static string ForFrontends(string version, string subset)
        => LabYaml.VirtualService("be", $$$"""
            - match: [{sourceLabels: {app: myapp, version: {{{version}}} } }]
              route: [{destination: {host: be, subset: {{{subset}}} }, weight: 100}]
            """);

    /// <summary>What <c>/hostz</c> says, request by request: <c>v1</c> or <c>v2</c> of the backend.</summary>
    public static async Task<string[]> BackendsAsync(this HttpClient gateway, int requests)
    {
        var versions = new string[requests];
        for (var i = 0; i < requests; i++)
        {
            using var json = JsonDocument.Parse((await gateway.AskAsync(Hostz)).Body);
            var fetched = json.RootElement[0];
            fetched.GetProperty("statusCode").GetInt32().ShouldBe(200);
            versions[i] = fetched.GetProperty("body").GetString()!["pod: [be-".Length..][..2];
        }

        return versions;
    }

    /// <summary>The versions of the pods that answer, request by request.</summary>
    public static async Task<string[]> VersionsAsync(this HttpClient client, string uri, int requests)
    {
        var versions = new string[requests];
        for (var i = 0; i < requests; i++)
        {
            versions[i] = (await client.AskAsync(uri)).Version;
        }

        return versions;
    }

    /// <summary>How often the same came twice in a row.</summary>
    public static int Repeats(this IReadOnlyList<string> order) => order.Zip(order.Skip(1)).Count(pair => pair.First == pair.Second);
}
