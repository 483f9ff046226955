namespace Bookinfo.Reviews;

/// <summary>The stars that the ratings service knows; <see langword="null"/> where it has none.</summary>
internal readonly record struct ReviewerStars(int? Reviewer1, int? Reviewer2);
