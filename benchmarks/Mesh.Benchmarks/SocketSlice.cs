namespace Mesh.Benchmarks;

/// <summary>What one slice of load came to.</summary>
internal readonly record struct SocketSlice(long Requests, double PerSecond, double CpuMicroseconds, double Bytes, long Contentions);
