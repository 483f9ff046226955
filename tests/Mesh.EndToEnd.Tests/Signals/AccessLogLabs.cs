using Mesh.DataPlane.Telemetry.AccessLogs;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>Istio's YAML in, lines of an access log out.</summary>
public sealed class AccessLogLabs : IDisposable
{
    private const string Rating = "http://rating:9080/ratings/0";

    private const string Json = """extensionProviders: [{name: json, envoyFileAccessLog: {path: DIRECTORY/json.log, logFormat: {labels: {path: "%REQ(:PATH)%", code: "%RESPONSE_CODE%"}}}}]""";

    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-access-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    [Trait("Lab", "P11")]
    public async Task Injected_delays_and_aborts_stand_in_Istios_log_as_DI_and_FI()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("rating", 9080) + MeshConfig("access.log"));
        var rating = await mesh.AddPodAsync("rating");
        var (client, logs) = Caller(mesh);
        (await client.AskAsync(Rating, ("user-agent", "curl/8"), ("x-request-id", "cd30da12-ee24-9429-b188-2d494017c083"))).Status.ShouldBe(200);

        await mesh.ApplyAsync(LabYaml.VirtualService("rating", """
            - fault: {abort: {percentage: {value: 100}, httpStatus: 418}}
              route: [{destination: {host: rating}}]
            """));
        (await client.AskAsync(Rating)).Flags.ShouldBe("FI");

        await mesh.ApplyAsync(LabYaml.VirtualService("rating", """
            - fault: {delay: {percentage: {value: 100}, fixedDelay: 7s}}
              route: [{destination: {host: rating}}]
            """));
        var delayed = client.AskAsync(Rating);
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(7)).OrHang();
        mesh.Time.Advance(TimeSpan.FromSeconds(7));
        (await delayed.OrHang()).Flags.ShouldContain("DI");

        var lines = await LinesAsync(logs, "access.log");
        lines.Length.ShouldBe(3);
        lines[0].ShouldMatch("^\\[.*Z\\] \"GET /ratings/0 HTTP/1\\.1\" 200 - via_upstream - \"-\" 0 \\d+ \\d+ .* \"-\" \"curl/8\" \"cd30da12-ee24-9429-b188-2d494017c083\" \"rating:9080\" "
            + $"\"127\\.0\\.0\\.1:{rating.Port}\" outbound\\|9080\\|\\|rating\\.default\\.svc\\.cluster\\.local - - - - \\S+$");
        lines[1].ShouldMatch("^\\[.*Z\\] \"GET /ratings/0 HTTP/1\\.1\" 418 FI fault_filter_abort - \"-\" 0 \\d+ \\d+ .* \"rating:9080\" \"-\" ");
        lines[2].ShouldMatch("^\\[.*Z\\] \"GET /ratings/0 HTTP/1\\.1\" 200 DI via_upstream - \"-\" 0 \\d+ 7000 ");
    }

    [Fact]
    public async Task A_Telemetry_logs_what_its_expression_lets_through_and_stops_when_it_is_deleted()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("rating", 9080) + MeshConfig("none.log", file: false, json: true));
        await mesh.AddPodAsync("rating", answer: context =>
        {
            context.Response.StatusCode = context.Request.Path == "/fails" ? 500 : 200;
            return Task.CompletedTask;
        });
        var (client, logs) = Caller(mesh);
        await client.AskAsync(Rating);
        await mesh.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: errors, namespace: default}
            spec:
              accessLogging:
              - providers: [{name: json}]
                filter: {expression: "response.code >= 400 && request.headers['x-debug'] == 'on'"}
            """);
        await client.AskAsync(Rating);
        await client.AskAsync("http://rating:9080/fails");
        await client.AskAsync("http://rating:9080/fails", ("x-debug", "on"));
        await mesh.DeleteAsync("Telemetry", "errors");
        await client.AskAsync("http://rating:9080/fails", ("x-debug", "on"));

        (await LinesAsync(logs, "json.log")).ShouldHaveSingleItem().ShouldBe("""{"code":500,"path":"/fails"}""");
        File.Exists(Path.Combine(_directory, "none.log")).ShouldBeFalse();
    }

    private (HttpClient Client, MeshAccessLogs Logs) Caller(PodMesh mesh)
    {
        var application = mesh.Application(new MeshWorkload("reviews"), configure: o => o.AccessLog.Directory = _directory);
        var client = application.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.Timeout = Guard.Hang;
        return (client, application.GetRequiredService<MeshAccessLogs>());
    }

    private async Task<string[]> LinesAsync(MeshAccessLogs logs, string file)
    {
        await logs.FlushAsync(default).OrHang();
        return (await File.ReadAllTextAsync(Path.Combine(_directory, file))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private string MeshConfig(string name, bool file = true, bool json = false) => $$$"""
        ---
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        metadata: {name: mesh, namespace: istio-system}
        spec:
          {{{(file ? $"accessLogFile: {Path.Combine(_directory, name)}" : "accessLogEncoding: TEXT")}}}
          {{{(json ? Json.Replace("DIRECTORY", _directory, StringComparison.Ordinal) : "")}}}
        """;
}
