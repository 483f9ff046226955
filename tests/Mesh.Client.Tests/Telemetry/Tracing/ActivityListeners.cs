namespace Mesh.Client.Tests.Telemetry.Tracing;

/// <summary>Who listens to activities listens to those of the whole process: tests that do, or that need that nobody does, run one after the other.</summary>
[CollectionDefinition(nameof(ActivityListeners), DisableParallelization = true)]
public sealed class ActivityListeners;
