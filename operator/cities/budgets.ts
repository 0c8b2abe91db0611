/** How fast cities are moved: what the controller allows itself, and what a forecast of it goes by. */

/** For no other reason than balance. */
export const SHEDS_PER_SECOND = 2;
export const SHED_BURST = 4;
/** Cities of lost workers, once the brake bounds them. */
export const TAKEOVERS_PER_SECOND = 50;
