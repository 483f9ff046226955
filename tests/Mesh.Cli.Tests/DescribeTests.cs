using Mesh.Cli.Tests.Servers;

namespace Mesh.Cli.Tests;

public sealed class DescribeTests
{
    [Fact]
    public async Task A_workload_is_described_by_what_hits_it()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);

        var text = (await controlPlane.RunAsync("describe", "workload", "reviews-v2.default")).ShouldSucceed();
        text.ShouldBe("""
            Workload: reviews-v2.default
               Labels: app=reviews, version=v2
               Ports: none
               Identity: spiffe://cluster.local/ns/default/sa/bookinfo-reviews
               Proxy: none; a document lists it, and no process of it is connected
            --------------------
            Service: reviews.default
               Host: reviews.default.svc.cluster.local
               Port: http 9080/HTTP at 10.0.0.2:9080
            DestinationRule: reviews.default (memory:8) for "reviews.default.svc.cluster.local"
               Matching subsets: v2
                  (Non-matching subsets v1)
               No Traffic Policy
            VirtualService: reviews.default (memory:15)
               1. header end-user = jason -> reviews subset v2
               2. every request -> reviews subset v1, never to this workload
            --------------------
            Effective PeerAuthentication:
               Workload mTLS mode: PERMISSIVE
            AuthorizationPolicy: reviews-viewer.default (memory:35), ALLOW by 1 rule(s)
               What no ALLOW rule names is refused.

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task A_service_and_a_host_are_described_with_who_serves_them()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);

        var service = (await controlPlane.RunAsync("describe", "svc", "reviews")).ShouldSucceed();
        service.ShouldContain("10.0.0.1:9080 reviews-v1.default (subset v1)");
        service.ShouldContain("1. header end-user = jason -> reviews subset v2");
        service.ShouldContain("Mutual TLS: PERMISSIVE");
        var host = (await controlPlane.RunAsync("describe", "host", "reviews:9080", "--from", "default")).ShouldSucceed();
        host.ShouldContain("means reviews.default.svc.cluster.local:9080");
        (await controlPlane.RunAsync("describe", "host", "example.com")).ShouldSucceed().ShouldContain("ALLOW_ANY");
        (await controlPlane.RunAsync("describe", "service", "reviews", "-o", "json")).ShouldSucceed().ShouldContain("\"destinationRule\"");
    }

    [Fact]
    public async Task What_there_is_not_is_told_with_what_there_is()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);

        var run = await controlPlane.RunAsync("describe", "workload", "nobody");
        run.ExitCode.ShouldBe(ExitCodes.Failure);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldBe("Error: no proxy nobody is connected; connected are none; written down are reviews-v1.default, reviews-v2.default\n");
    }
}
