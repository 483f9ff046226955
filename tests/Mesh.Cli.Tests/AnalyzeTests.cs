using Mesh.Cli.Tests.Servers;

namespace Mesh.Cli.Tests;

public sealed class AnalyzeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-analyze-").FullName;

    private string Write(string name, string yaml)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, yaml);
        return path;
    }

    [Fact]
    [Trait("Lab", "A3-05")]
    public async Task A_mesh_without_fault_has_istioctls_line()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        (await controlPlane.RunAsync("analyze")).ShouldSucceed().ShouldBe("No validation issues found when analyzing namespace: default.\n");
        (await CommandLine.RunAsync(["analyze", Write("reviews.yaml", MeshDocuments.Reviews)])).ShouldSucceed().ShouldStartWith("No validation issues found");
    }

    [Fact]
    public async Task Files_are_read_as_a_control_plane_reads_them_each_by_itself_and_against_each_other()
    {
        Write("reviews.yaml", MeshDocuments.Reviews);
        var rule = Write("rule.yaml", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: ratings}
            spec:
              hosts: [ratings]
              http:
              - route: [{destination: {host: reviews, subset: v9}}]
                timeout: 3 minutes
            """);

        var run = await CommandLine.RunAsync(["analyze", _folder]);
        run.ExitCode.ShouldBe(ExitCodes.AnalyzerFoundIssues);
        run.Lines.ShouldHaveSingleItem().ShouldStartWith($"Error [IST0106] (VirtualService default/ratings {rule}:8:");

        File.WriteAllText(rule, File.ReadAllText(rule).Replace("3 minutes", "3m", StringComparison.Ordinal));
        var warned = await CommandLine.RunAsync(["analyze", _folder, "-o", "json"]);
        warned.Out.ShouldContain("\"code\": \"IST0101\"");
        warned.Out.ShouldContain("v9");

        var twice = await CommandLine.RunAsync(["analyze", rule, Write("again.yaml", File.ReadAllText(rule))]);
        twice.ExitCode.ShouldBe(ExitCodes.AnalyzerFoundIssues);
        twice.Out.ShouldContain("MESH0002");
    }

    [Fact]
    public async Task A_control_planes_own_findings_are_told()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        controlPlane.ApplyWrong("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: ratings}
            spec: {hosts: [ratings.default.svc.cluster.local], http: [{route: [{destination: {host: nowhere.default.svc.cluster.local}}]}]}
            """);

        var run = await controlPlane.RunAsync("analyze");
        run.Out.ShouldContain("[IST0101]");
        run.Out.ShouldContain("memory:");
    }

    [Fact]
    public async Task Files_that_are_not_there_or_hold_no_YAML_are_told()
    {
        var missing = await CommandLine.RunAsync(["analyze", Path.Combine(_folder, "no.yaml")]);
        missing.ExitCode.ShouldBe(ExitCodes.Failure);
        missing.Error.ShouldContain("there is no file or folder");
        var broken = await CommandLine.RunAsync(["analyze", Write("broken.yaml", "a: [\u001b[2J")]);
        broken.ExitCode.ShouldBe(ExitCodes.AnalyzerFoundIssues);
        broken.Out.ShouldNotContain("\u001b");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
