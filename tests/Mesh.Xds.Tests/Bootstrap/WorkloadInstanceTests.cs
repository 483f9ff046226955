using Mesh.Xds.Bootstrap;

namespace Mesh.Xds.Tests.Bootstrap;

public sealed class WorkloadInstanceTests
{
    [Fact]
    public void Workloads_of_the_same_name_in_one_process_are_told_apart()
    {
        var workload = new MeshWorkload($"shop-{Guid.NewGuid():n}");

        var names = Enumerable.Range(0, 3).Select(_ => WorkloadInstance.Detect(workload, _ => null).PodName).ToList();

        names.Distinct().Count().ShouldBe(3);
        names[1].ShouldBe(names[0] + "-2");
    }

    [Fact]
    public void In_kubernetes_the_pod_is_the_workload()
    {
        string? Environment(string name) => name == "POD_NAME" ? "shop-7d4b9-x2x" : null;

        WorkloadInstance.Detect(new MeshWorkload("shop"), Environment).PodName.ShouldBe("shop-7d4b9-x2x");
        WorkloadInstance.Detect(new MeshWorkload("shop"), Environment).PodName.ShouldBe("shop-7d4b9-x2x");
    }
}
