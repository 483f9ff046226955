namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>In which headers a trace travels.</summary>
[Flags]
internal enum ContextFormats
{
    /// <summary>As the process itself has it (<see cref="System.Diagnostics.DistributedContextPropagator.Current"/>).</summary>
    Process = 0,

    /// <summary><c>traceparent</c> and <c>tracestate</c> (W3C Trace Context).</summary>
    W3C = 1,

    /// <summary>The headers <c>x-b3-*</c>.</summary>
    B3 = 2,

    /// <summary>The header <c>b3</c>.</summary>
    B3Single = 4,
}
