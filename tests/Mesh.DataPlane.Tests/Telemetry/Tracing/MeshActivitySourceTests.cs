using System.Diagnostics;
using System.Runtime.Loader;
using Mesh.DataPlane.Telemetry.Tracing;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing;

public sealed class MeshActivitySourceTests
{
    [Fact]
    public async Task The_first_spans_of_a_process_are_all_made_however_many_begin_at_once()
    {
        const int Threads = 4;
        for (var round = 0; round < 10; round++)
        {
            // The source is the process's: a context of its own has a source of its own that nobody has used.
            var assembly = new AssemblyLoadContext(null).LoadFromAssemblyPath(typeof(MeshActivitySource).Assembly.Location);
            var create = assembly.GetType(typeof(MeshActivitySource).FullName!)!.GetMethod(nameof(MeshActivitySource.Create))!;
            using var together = new Barrier(Threads);

            var spans = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    together.SignalAndWait();
                    return create.Invoke(null, ["GET", ActivityKind.Client, default(ActivityContext), null]);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));

            spans.ShouldAllBe(span => span is Activity);
        }
    }
}
