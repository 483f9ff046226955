using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Tests.Filters;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>Entries to a service that is away now and then.</summary>
public sealed class CollectorOutputTests : IAsyncDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(30);

    private readonly FilterMesh _mesh = new();

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task A_flush_tries_although_an_attempt_fails_meanwhile()
    {
        await using var output = new Output(_mesh);
        _mesh.Time.Advance(TimeSpan.FromSeconds(10));
        output.Add("lost", 1);
        var first = output.FlushAsync(default);
        await output.Begun.Task.WaitAsync(Hang);
        output.Add("sent", 1);
        var second = output.FlushAsync(default);

        output.Answer.SetException(new IOException("gone"));
        await Task.WhenAll(first, second).WaitAsync(Hang);

        output.Taken.ShouldBe(["sent"]);
        (output.Counts.Written, output.Counts.Dropped, output.Counts.Failures).ShouldBe((1, 1, 1));
    }

    private sealed class Output(FilterMesh mesh) : CollectorOutput<string>(
        new CollectorSettings(new ClusterTarget("collector", TimeSpan.Zero), "log"), () => mesh.Engine.Filters.Services.Calls, 1000, new AccessLogCounts(new MetricRegistry(), "test", ""), mesh.Time, NullLogger.Instance)
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>What becomes of the first attempt.</summary>
        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Taken { get; } = [];

        protected override async Task SendAsync(IReadOnlyList<string> entries, CancellationToken cancellationToken)
        {
            if (Begun.TrySetResult())
            {
                await Answer.Task.WaitAsync(cancellationToken);
            }

            Taken.AddRange(entries);
        }
    }
}
