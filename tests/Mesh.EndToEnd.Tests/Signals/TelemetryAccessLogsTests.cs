using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.EndToEnd.Tests.Lab;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>From a Telemetry document to the lines that a running client writes, and to none when the document changes.</summary>
public sealed class TelemetryAccessLogsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-logs-").FullName;

    private string LogFile => Path.Combine(_folder, "access.log");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task One_workload_writes_of_some_requests_and_then_of_none()
    {
        await using var mesh = await PodMesh.StartAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: reviews}
            spec:
              selector: {app: reviews}
              ports: [{name: http, port: 9080}]
            ---
            apiVersion: mesh.istio.io/v1alpha1
            kind: MeshConfig
            spec:
              extensionProviders:
              - name: file
                envoyFileAccessLog: {path: {{LogFile}}, logFormat: {text: "%REQ(:PATH)% %RESPONSE_CODE%"} }
            ---
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web} }
              accessLogging: [{providers: [{name: file}], match: {mode: CLIENT}, filter: {expression: "request.path.startsWith('/api')"} }]
            """);
        await mesh.AddPodAsync("reviews");
        var web = mesh.Application(new MeshWorkload("web") { Namespace = "default" }, configure: options => options.AccessLog.Directory = _folder);
        var job = mesh.Application(new MeshWorkload("job") { Namespace = "default" }, configure: options => options.AccessLog.Directory = _folder);

        // 1. The workload that is meant, and of its requests those that are.
        await CallAsync(web, "/api/1");
        await CallAsync(web, "/health");
        await CallAsync(job, "/api/2");
        (await File.ReadAllLinesAsync(LogFile)).ShouldBe(["/api/1 200"]);

        // 2. Without the document: nothing more.
        await mesh.DeleteAsync("Telemetry", "web");
        await CallAsync(web, "/api/3");
        (await File.ReadAllLinesAsync(LogFile)).ShouldBe(["/api/1 200"]);
    }

    private static async Task CallAsync(IServiceProvider caller, string path)
    {
        await caller.GetRequiredService<IHttpClientFactory>().CreateClient().GetStringAsync($"http://reviews:9080{path}");
        await caller.GetRequiredService<MeshAccessLogs>().FlushAsync(CancellationToken.None).OrHang();
    }
}
